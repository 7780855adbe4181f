using System.Text;
using System.Text.Json;
using Enclaves.EnclaveHost.Log;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class StdoutLinesTests
{
    [Fact]
    public void A_line_is_one_json_object()
    {
        var output = new MemoryStream();
        using (var lines = new StdoutLines(output))
            lines.Write(new LogLine(DateTimeOffset.UnixEpoch, "app", "stdout", "say \"hi\"\nü", Partial: true));
        var text = Encoding.UTF8.GetString(output.ToArray());
        text.ShouldEndWith("\n");
        text.Count(c => c == '\n').ShouldBe(1);
        var line = JsonDocument.Parse(text).RootElement;
        line.GetProperty("container").GetString().ShouldBe("app");
        line.GetProperty("text").GetString().ShouldBe("say \"hi\"\nü");
        line.GetProperty("partial").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public void A_reader_that_does_not_read_costs_lines_and_not_the_writer()
    {
        using var output = new StuckStream();
        using var lines = new StdoutLines(output);
        for (var i = 0; i < StdoutLines.Capacity * 3; i++)
            lines.Write(new LogLine(DateTimeOffset.UnixEpoch, "app", "stdout", "text"));
        lines.Dropped.ShouldBeGreaterThanOrEqualTo(StdoutLines.Capacity * 2 - 1);
        output.Release.Set();
    }

    private sealed class StuckStream : MemoryStream
    {
        public ManualResetEventSlim Release { get; } = new();

        public override void Write(ReadOnlySpan<byte> buffer) => Release.Wait(TimeSpan.FromSeconds(30));
    }
}
