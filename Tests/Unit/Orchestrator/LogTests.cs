using System.Text;
using Enclaves.Channel.Logs;
using Enclaves.Orchestrator.Logs;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class LogTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_full_buffer_drops_the_oldest_and_leaves_a_gap_in_the_sequence()
    {
        var buffer = new LogBuffer(maxBytes: (10 * (LogFrame.HeaderBytes + 4)) + 3);
        for (var i = 0; i < 25; i++)
            Append(buffer, $"{i:0000}");
        var kept = await ReadAsync(buffer, 10);
        kept[0].Sequence.ShouldBe(16ul);
        Encoding.ASCII.GetString(kept[0].Text).ShouldBe("0015");
        kept.Select(entry => entry.Sequence).ShouldBe(Enumerable.Range(16, 10).Select(i => (ulong)i));
    }

    [Fact]
    public async Task A_reader_waits_for_what_comes()
    {
        var buffer = new LogBuffer(maxBytes: 10_000);
        var reading = ReadAsync(buffer, 1);
        reading.IsCompleted.ShouldBeFalse();
        Append(buffer, "late");
        Encoding.ASCII.GetString((await reading)[0].Text).ShouldBe("late");
    }

    [Fact]
    public async Task A_long_line_becomes_parts_of_one_line()
    {
        var buffer = new LogBuffer(maxBytes: 100_000);
        Append(buffer, new string('x', LogFrame.MaxTextBytes + 5));
        var parts = await ReadAsync(buffer, 2);
        parts.Select(part => (part.Text.Length, part.Partial)).ShouldBe([(LogFrame.MaxTextBytes, true), (5, false)]);
    }

    [Theory]
    [InlineData("2026-11-23T12:00:00.123456789Z stdout F hello there", "stdout", false, "hello there")]
    [InlineData("2026-11-23T12:00:00Z stderr P part", "stderr", true, "part")]
    [InlineData("2026-11-23T12:00:00Z stdout F ", "stdout", false, "")]
    public void A_line_of_a_container_log_is_read(string line, string stream, bool partial, string text)
    {
        CriLogLine.TryParse(Encoding.UTF8.GetBytes(line), out var parsed).ShouldBeTrue();
        (parsed.Stream, parsed.Partial, Encoding.UTF8.GetString(parsed.Text)).ShouldBe((stream, partial, text));
        parsed.Time.UtcDateTime.Hour.ShouldBe(12);
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("yesterday stdout F x")]
    [InlineData("2026-11-23T12:00:00Z stdin F x")]
    public void A_line_of_another_form_is_not(string line) => CriLogLine.TryParse(Encoding.UTF8.GetBytes(line), out _).ShouldBeFalse();

    [Fact]
    public void Lines_are_put_together_from_whatever_pieces_they_come_in()
    {
        var lines = new List<string>();
        var assembler = new LineAssembler((line, _) => lines.Add(Encoding.UTF8.GetString(line)));
        foreach (var piece in new[] { "fir", "st\nsec", "ond\n\nlast" })
            assembler.Add(Encoding.UTF8.GetBytes(piece));
        lines.ShouldBe(["first", "second", ""]);
        assembler.Flush();
        lines[^1].ShouldBe("last");
    }

    [Fact]
    public void A_line_without_an_end_does_not_grow_without_an_end()
    {
        var lengths = new List<int>();
        var assembler = new LineAssembler((line, _) => lengths.Add(line.Length));
        assembler.Add(new byte[100_000]);
        lengths.ShouldBe([32768, 32768, 32768]);
    }

    [Theory]
    [InlineData("a", 40_000)]
    [InlineData("ü", 40_000)]
    [InlineData("€", 20_000)]
    [InlineData("x😀", 20_000)]
    public async Task A_line_is_cut_between_characters_and_each_piece_but_the_last_is_marked(string character, int count)
    {
        var buffer = new LogBuffer(maxBytes: 1 << 20);
        var line = "." + string.Concat(Enumerable.Repeat(character, count));
        var source = buffer.Source("app", "stdout");
        var assembler = new LineAssembler((piece, partial) => buffer.Append(source, piece, partial, Now));
        foreach (var chunk in Encoding.UTF8.GetBytes(line + "\nnext\n").Chunk(1001))
            assembler.Add(chunk);
        var entries = await ReadUntilAsync(buffer, entry => !entry.Partial && entry.Text.Length == 4);
        string.Concat(entries.SkipLast(1).Select(entry => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(entry.Text))).ShouldBe(line);
        entries.SkipLast(2).ShouldAllBe(entry => entry.Partial);
        entries[^2].Partial.ShouldBeFalse();
    }

    [Fact]
    public async Task A_ring_that_has_gone_round_many_times_keeps_every_line_whole()
    {
        var buffer = new LogBuffer(maxBytes: 40_000);
        for (var i = 0; i < 5000; i++)
            Append(buffer, $"{i} {new string((char)('a' + (i % 26)), i % 97)}");
        var kept = await ReadUntilAsync(buffer, entry => entry.Sequence == 5000);
        kept.Select(entry => entry.Sequence).ShouldBe(Enumerable.Range(5001 - kept.Count, kept.Count).Select(i => (ulong)i));
        kept.ShouldAllBe(entry => Encoding.ASCII.GetString(entry.Text) == $"{entry.Sequence - 1} {new string((char)('a' + (int)((entry.Sequence - 1) % 26)), (int)((entry.Sequence - 1) % 97))}");
        kept.Sum(entry => entry.Text.Length + LogFrame.HeaderBytes).ShouldBeInRange(39_800, 40_000);
    }

    [Fact]
    public async Task A_log_file_that_grows_is_rotated_without_losing_a_line()
    {
        var folder = Directory.CreateTempSubdirectory("cri-log");
        var path = Path.Combine(folder.FullName, "0.log");
        var buffer = new LogBuffer(maxBytes: 64 << 20);
        var writer = new CriWriter(path);
        using var ended = new CancellationTokenSource();
        var follower = new CriLogFollower(path, "app", buffer, _ => writer.ReopenAsync(), TimeProvider.System).RunAsync(ended.Token);
        var lines = 0;
        for (var deadline = Environment.TickCount64 + 20_000; writer.Reopened < 2 && Environment.TickCount64 < deadline; lines++)
        {
            await writer.WriteAsync($"2026-11-23T12:00:00Z stdout F line {lines} {new string('x', 200)}\n");
            // Far beyond what two rotations take, the follower is behind, and the buffer is not to overflow.
            if (lines % 1000 == 0 || lines > 40_000)
                await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        await ended.CancelAsync();
        await follower;
        await writer.DisposeAsync();

        var read = await ReadAsync(buffer, lines);
        read.Select((entry, i) => Encoding.ASCII.GetString(entry.Text).StartsWith($"line {i} ", StringComparison.Ordinal)).ShouldAllBe(same => same);
        writer.Reopened.ShouldBeGreaterThanOrEqualTo(2);
        new FileInfo(path).Length.ShouldBeLessThan(lines * 100L);
        File.Exists(path + ".old").ShouldBeFalse();
        folder.Delete(recursive: true);
    }

    private static void Append(LogBuffer buffer, string text) => buffer.Append(buffer.Source("app", "stdout"), Encoding.ASCII.GetBytes(text), partial: false, Now);

    private static Task<List<LogEntry>> ReadAsync(LogBuffer buffer, int count) => ReadUntilAsync(buffer, (List<LogEntry> entries) => entries.Count >= count);

    private static Task<List<LogEntry>> ReadUntilAsync(LogBuffer buffer, Func<LogEntry, bool> isLast) =>
        ReadUntilAsync(buffer, (List<LogEntry> entries) => isLast(entries[^1]));

    private static async Task<List<LogEntry>> ReadUntilAsync(LogBuffer buffer, Func<List<LogEntry>, bool> isEnough)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timed.CancelAfter(TimeSpan.FromSeconds(20));
        var entries = new List<LogEntry>();
        await foreach (var chunk in buffer.ReadAsync(timed.Token))
        {
            ReadOnlyMemory<byte> rest = chunk.Frames;
            for (var sequence = chunk.First; !rest.IsEmpty; sequence++)
            {
                var frame = LogFrame.Take(ref rest, chunk.Sources.Count, out var text);
                entries.Add(new LogEntry(sequence, text.ToArray(), frame.Partial));
            }

            if (isEnough(entries))
                break;
        }

        return entries;
    }

    private sealed record LogEntry(ulong Sequence, byte[] Text, bool Partial);

    /// <summary>Writes as a container runtime does: it keeps its file until it is told to open a new one.</summary>
    private sealed class CriWriter(string path) : IAsyncDisposable
    {
        private readonly SemaphoreSlim _lock = new(1);
        private FileStream _file = Open(path);

        public int Reopened { get; private set; }

        public async Task WriteAsync(string line)
        {
            await _lock.WaitAsync();
            await _file.WriteAsync(Encoding.ASCII.GetBytes(line));
            _lock.Release();
        }

        public async Task ReopenAsync()
        {
            await _lock.WaitAsync();
            await _file.DisposeAsync();
            _file = Open(path);
            Reopened++;
            _lock.Release();
        }

        public ValueTask DisposeAsync() => _file.DisposeAsync();

        private static FileStream Open(string path) =>
            new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    }
}
