using System.Text;
using System.Text.Json;
using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Log;
using Enclaves.EnclaveHost.Session;
using Google.Protobuf;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class LogForwarderTests
{
    [Fact]
    public void What_an_earlier_session_has_brought_is_not_written_again()
    {
        Texts(forwarder =>
        {
            foreach (var sequence in new ulong[] { 1, 2, 1, 2, 3 })
                forwarder.Forward(Record(sequence));
            forwarder.DroppedInside.ShouldBe(0);
        }).ShouldBe(["line 1", "line 2", "line 3"]);
    }

    [Fact]
    public void A_gap_is_marked_and_counted_also_before_the_first_record_and_over_boots()
    {
        Texts(forwarder =>
        {
            forwarder.Forward(Record(4));
            forwarder.Forward(Record(6));
            forwarder.BeginBoot();
            forwarder.Forward(Record(3));
            forwarder.DroppedInside.ShouldBe(6);
        }).ShouldBe(
        [
            "[3 lines before this one were dropped]", "line 4", "[1 lines before this one were dropped]", "line 6",
            "[2 lines before this one were dropped]", "line 3",
        ]);
    }

    [Fact]
    public void A_record_that_no_Orchestrator_sends_is_bounded()
    {
        Texts(forwarder =>
        {
            forwarder.Forward(new LogRecord { Sequence = ulong.MaxValue, Container = new string('c', 1000), Text = ByteString.CopyFrom(new byte[100_000]) });
            forwarder.DroppedInside.ShouldBe(long.MaxValue);
        })[1].Length.ShouldBe(16 * 1024);
    }

    private static List<string> Texts(Action<LogForwarder> forward)
    {
        using var output = new MemoryStream();
        using (var lines = new StdoutLines(output))
            forward(new LogForwarder(lines));
        return [.. Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!)];
    }

    private static LogRecord Record(ulong sequence) =>
        new() { Sequence = sequence, Container = "app", Stream = "stdout", Text = ByteString.CopyFromUtf8($"line {sequence}") };
}
