using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Enclaves.Channel.Logs;
using Enclaves.EnclaveHost.Log;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class StdoutLinesTests
{
    private static readonly LogSource App = new("app", "stdout");

    [Fact]
    public void A_line_is_one_json_object()
    {
        var output = new MemoryStream();
        using (var lines = new StdoutLines(output, TimeProvider.System))
            lines.Write(new LogLine(DateTimeOffset.UnixEpoch, App, "say \"hi\"\nü", partial: true));
        var text = Encoding.UTF8.GetString(output.ToArray());
        text.ShouldEndWith("\n");
        text.Count(c => c == '\n').ShouldBe(1);
        var line = JsonDocument.Parse(text).RootElement;
        line.GetProperty("container").GetString().ShouldBe("app");
        line.GetProperty("text").GetString().ShouldBe("say \"hi\"\nü");
        line.GetProperty("partial").GetBoolean().ShouldBeTrue();
    }

    [Theory]
    [InlineData("plain text")]
    [InlineData("a \"quoted\" \\ back\\slash\t\u0001\u007f\u2028")]
    [InlineData("äöü € 😀 \u0000")]
    [InlineData("")]
    public void Whatever_a_line_holds_is_read_back_by_any_json_reader(string text)
    {
        var output = new MemoryStream();
        using (var lines = new StdoutLines(output, TimeProvider.System))
            lines.Write(new LogLine(new DateTimeOffset(2026, 11, 27, 1, 2, 3, TimeSpan.FromHours(2)), new LogSource("a\"b", "stdout"), text));
        Encoding.UTF8.GetString(output.ToArray()).Count(c => c is < ' ').ShouldBe(1);
        var line = JsonDocument.Parse(output.ToArray()).RootElement;
        line.GetProperty("text").GetString().ShouldBe(text);
        line.GetProperty("container").GetString().ShouldBe("a\"b");
        line.GetProperty("time").GetDateTimeOffset().ShouldBe(new DateTimeOffset(2026, 11, 26, 23, 2, 3, TimeSpan.Zero));
        line.TryGetProperty("partial", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_reader_that_does_not_read_costs_lines_and_not_the_writer()
    {
        using var output = new StuckStream();
        long dropped;
        using (var lines = new StdoutLines(output, TimeProvider.System))
        {
            var line = new LogLine(DateTimeOffset.UnixEpoch, App, new string('x', 1000));
            // Before it is stuck it might take away what has been written, and leave room.
            lines.Write(line);
            output.IsStuck.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken).ShouldBeTrue();
            for (var i = 0; i < 3 * StdoutLines.MaxBytes / 1000; i++)
                lines.Write(line);
            dropped = lines.Dropped;
            dropped.ShouldBeInRange(StdoutLines.MaxBytes / 1000, 3 * StdoutLines.MaxBytes / 1000);
            lines.RoomAsync(CancellationToken.None).IsCompleted.ShouldBeFalse();
            output.Release.Set();
            await lines.RoomAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            lines.Write(line);
            lines.Dropped.ShouldBe(dropped);
        }

        // Where they would have been there is a mark with their number.
        Regex.Matches(Encoding.UTF8.GetString(output.ToArray()), @"\[(\d+) lines were dropped here").Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).ShouldBe(dropped);
    }

    [Fact]
    public void What_is_no_utf8_is_written_with_a_mark_in_place_of_each_such_byte()
    {
        var output = new MemoryStream();
        using (var lines = new StdoutLines(output, TimeProvider.System))
            lines.Write(new LogLine(DateTimeOffset.UnixEpoch, App, new byte[] { (byte)'a', 0xFF, (byte)'b' }));
        JsonDocument.Parse(Encoding.UTF8.GetString(output.ToArray())).RootElement.GetProperty("text").GetString().ShouldBe("a\uFFFDb");
    }

    private sealed class StuckStream : MemoryStream
    {
        public ManualResetEventSlim IsStuck { get; } = new();

        public ManualResetEventSlim Release { get; } = new();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            IsStuck.Set();
            Release.Wait(TimeSpan.FromSeconds(30));
            base.Write(buffer);
        }
    }
}
