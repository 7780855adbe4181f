using System.Buffers;
using System.Globalization;
using Enclaves.Channel.Logs;

namespace Enclaves.EnclaveHost.Log;

/// <summary>
/// The only writer of standard output: JSON lines {"time","container","stream","text"}, in order of arrival. Never blocks who writes: where
/// nobody reads standard output, lines beyond <see cref="MaxBytes"/> are dropped, counted, and marked in their place.
/// </summary>
internal sealed class StdoutLines : IDisposable
{
    /// <summary>Bytes that wait beside those being written; one line more at most.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    // Who can wait does so from here on, and leaves the rest to who cannot. A batch of the enclave's log fits in between: in a flood the two
    // buffers stay as they are, where new ones of this size would cost a full collection each.
    private const int RoomBytes = KeptBytes / 2;

    // A buffer that has grown beyond is not kept.
    private const int KeptBytes = 512 * 1024;
    private static readonly LogSource Own = new(LogSource.Host, "warning");
    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(2);

    private readonly object _gate = new();
    private readonly Stream _output;
    private readonly TimeProvider _time;
    private readonly Thread _writer;
    private readonly JsonLines _json = new();
    private ArrayBufferWriter<byte> _waiting = new(KeptBytes);
    private ArrayBufferWriter<byte> _spare = new(KeptBytes);
    private TaskCompletionSource? _room;
    private long _dropped;
    private long _unmarked;
    private bool _closed;

    public StdoutLines(Stream output, TimeProvider time)
    {
        _output = output;
        _time = time;
        // A thread of its own: a full pipe blocks the write for as long as its reader likes.
        _writer = new Thread(WriteAll) { IsBackground = true, Name = "stdout" };
        _writer.Start();
    }

    /// <summary>Is given each line as well, those that are dropped here among them; must not wait.</summary>
    public Action<LogLine>? Copy { get; set; }

    /// <summary>Lines dropped so far.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Adds a line; after <see cref="Dispose"/> it is dropped.</summary>
    public void Write(LogLine line) => Write([line]);

    /// <summary>Adds lines, with none of anybody else between them.</summary>
    public void Write(ReadOnlySpan<LogLine> lines)
    {
        lock (_gate)
        {
            foreach (var line in lines)
                Add(line);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits while much is waiting to be written.</summary>
    public Task RoomAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_waiting.WrittenCount < RoomBytes)
                return Task.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellation);
        }
    }

    /// <summary>Writes what waits, for at most two seconds.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }

        _writer.Join(FlushTime);
    }

    private void WriteAll()
    {
        while (Take() is { } lines)
        {
            try
            {
                _output.Write(lines.WrittenSpan);
            }
            catch (IOException)
            {
                // Nobody reads standard output any more, and there is nowhere else to say so; the count shows it.
                Interlocked.Add(ref _dropped, lines.WrittenSpan.Count((byte)'\n'));
            }
        }
    }

    private void Add(LogLine line)
    {
        Copy?.Invoke(line);
        if (_closed || _waiting.WrittenCount >= MaxBytes)
        {
            Interlocked.Increment(ref _dropped);
            _unmarked++;
            return;
        }

        if (_unmarked > 0)
            _json.Write(new LogLine(_time.GetUtcNow(), Own, string.Create(CultureInfo.InvariantCulture, $"[{_unmarked} lines were dropped here: nobody read this log]")), _waiting);
        _unmarked = 0;
        _json.Write(line, _waiting);
    }

    // What waits, as soon as there is something; null when there will be nothing more.
    private ArrayBufferWriter<byte>? Take()
    {
        TaskCompletionSource? room;
        ArrayBufferWriter<byte> taken;
        lock (_gate)
        {
            while (_waiting.WrittenCount == 0)
            {
                if (_closed)
                    return null;
                Monitor.Wait(_gate);
            }

            taken = _waiting;
            if (_spare.Capacity > KeptBytes)
                _spare = new ArrayBufferWriter<byte>(KeptBytes);
            _spare.ResetWrittenCount();
            (_waiting, _spare) = (_spare, _waiting);
            room = _room;
            _room = null;
        }

        room?.SetResult();
        return taken;
    }
}
