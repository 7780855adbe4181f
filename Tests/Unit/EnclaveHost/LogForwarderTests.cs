using System.Text;
using System.Text.Json;
using Enclaves.Channel.Logs;
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
    public void Lines_of_several_sources_keep_their_order_and_who_wrote_them()
    {
        var batch = Batch(1, (0, "first"), (1, "second"), (0, "third"));
        batch.Sources.Add(new LogBatch.Types.Source { Stream = "stderr" });
        Lines(forwarder => forwarder.Forward(batch)).ShouldBe(["app/stdout: first", "orchestrator/stderr: second", "app/stdout: third"]);
    }

    [Theory]
    [InlineData(15, 0, 0)]
    [InlineData(20, 0, 5)]
    [InlineData(20, 0, -1)]
    [InlineData(20_000, 0, 16_385)]
    [InlineData(16, 1, 0)]
    public void A_batch_that_no_Orchestrator_sends_is_refused_and_costs_nothing(int bytes, ushort source, int length)
    {
        var frames = new byte[Math.Max(bytes, LogFrame.HeaderBytes)];
        new LogFrame(0, source, Partial: false, length).Write(frames);
        var batch = new LogBatch { FirstSequence = 1, Entries = ByteString.CopyFrom(frames, 0, bytes) };
        batch.Sources.Add(new LogBatch.Types.Source { Container = "app", Stream = "stdout" });
        Texts(forwarder => Should.Throw<InvalidDataException>(() => forwarder.Forward(batch))).ShouldBeEmpty();
    }

    [Fact]
    public void Numbers_and_times_out_of_range_are_bounded()
    {
        var batch = Batch(ulong.MaxValue, (0, "late"));
        batch.Sources[0].Container = new string('c', 1000);
        Texts(forwarder =>
        {
            forwarder.Forward(batch);
            forwarder.DroppedInside.ShouldBe(long.MaxValue);
        })[1].ShouldBe("late");
        Lines(forwarder => forwarder.Forward(batch))[1].Length.ShouldBeLessThan(100);
    }

    private static List<string> Texts(Action<LogForwarder> forward) => Read(forward, line => line.GetProperty("text").GetString()!);

    private static List<string> Lines(Action<LogForwarder> forward) =>
        Read(forward, line => $"{line.GetProperty("container").GetString()}/{line.GetProperty("stream").GetString()}: {line.GetProperty("text").GetString()}");

    private static List<string> Read(Action<LogForwarder> forward, Func<JsonElement, string> select)
    {
        using var output = new MemoryStream();
        using (var lines = new StdoutLines(output, TimeProvider.System))
            forward(new LogForwarder(lines));
        return [.. Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => select(JsonDocument.Parse(line).RootElement))];
    }

    private static LogBatch Record(ulong sequence) => Batch(sequence, (0, $"line {sequence}"));

    private static LogBatch Batch(ulong first, params (ushort Source, string Text)[] lines)
    {
        var batch = new LogBatch { FirstSequence = first };
        batch.Sources.Add(new LogBatch.Types.Source { Container = "app", Stream = "stdout" });
        var frames = new List<byte>();
        foreach (var (source, text) in lines)
        {
            var header = new byte[LogFrame.HeaderBytes];
            new LogFrame(long.MaxValue, source, Partial: false, text.Length).Write(header);
            frames.AddRange(header);
            frames.AddRange(Encoding.ASCII.GetBytes(text));
        }

        batch.Entries = ByteString.CopyFrom([.. frames]);
        return batch;
    }
}
