using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Channels;

namespace Enclaves.EnclaveHost.Log;

/// <summary>One line of the pod's log.</summary>
/// <param name="Time">When it was written at its source.</param>
/// <param name="Container">Who wrote it: a container of the manifest, <c>orchestrator</c>, <c>console</c> or <c>enclave-host</c>.</param>
/// <param name="Stream">stdout, stderr, or the level for <c>enclave-host</c>.</param>
/// <param name="Text">The line without its end.</param>
/// <param name="Partial">The line goes on in the next record of the stream.</param>
internal readonly record struct LogLine(DateTimeOffset Time, string Container, string Stream, string Text, bool Partial = false);

/// <summary>
/// The only writer of standard output: JSON lines {"time","container","stream","text"}, in order of arrival. Never blocks who
/// writes: at most <see cref="Capacity"/> lines wait, beyond that the oldest are dropped and counted.
/// </summary>
internal sealed class StdoutLines : IDisposable
{
    /// <summary>Lines that wait at most; with lines of at most 16 KiB that is 16 MiB.</summary>
    public const int Capacity = 1024;

    private static readonly JsonWriterOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(2);

    private readonly Channel<LogLine> _lines;
    private readonly Stream _output;
    private readonly Thread _writer;
    private long _dropped;

    public StdoutLines(Stream output)
    {
        _output = output;
        _lines = System.Threading.Channels.Channel.CreateBounded<LogLine>(
            new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            _ => Interlocked.Increment(ref _dropped));
        // A thread of its own: a full pipe blocks the write for as long as its reader likes.
        _writer = new Thread(WriteAll) { IsBackground = true, Name = "stdout" };
        _writer.Start();
    }

    /// <summary>Lines dropped so far.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Adds a line; after <see cref="Dispose"/> it is dropped.</summary>
    public void Write(LogLine line)
    {
        if (!_lines.Writer.TryWrite(line))
            Interlocked.Increment(ref _dropped);
    }

    /// <summary>Writes what waits, for at most two seconds.</summary>
    public void Dispose()
    {
        _lines.Writer.TryComplete();
        _writer.Join(FlushTime);
    }

    private static void Render(LogLine line, ArrayBufferWriter<byte> buffer)
    {
        using (var json = new Utf8JsonWriter(buffer, Format))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, line.Time.UtcDateTime);
            json.WriteString("container"u8, line.Container);
            json.WriteString("stream"u8, line.Stream);
            json.WriteString("text"u8, line.Text);
            if (line.Partial)
                json.WriteBoolean("partial"u8, true);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
    }

    private void WriteAll()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var reader = _lines.Reader;
        while (reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (reader.TryRead(out var line))
            {
                buffer.ResetWrittenCount();
                Render(line, buffer);
                try
                {
                    _output.Write(buffer.WrittenSpan);
                }
                catch (IOException)
                {
                    // Nobody reads standard output any more, and there is nowhere else to say so; the count shows it.
                    Interlocked.Increment(ref _dropped);
                }
            }
        }
    }
}
