using System.Runtime.CompilerServices;
using Enclaves.Channel.Logs;

namespace Enclaves.Orchestrator.Logs;

/// <summary>Lines as they come out of a <see cref="LogBuffer"/>.</summary>
/// <param name="First">Sequence number of the first of them.</param>
/// <param name="Sources">Who their sources are.</param>
/// <param name="Frames">One <see cref="LogFrame"/> after the other, each with its text.</param>
internal sealed record LogChunk(ulong First, IReadOnlyList<LogStream> Sources, byte[] Frames);

/// <summary>A container, or empty for the Orchestrator itself, and one of its streams.</summary>
internal sealed record LogStream(string Container, string Stream);

/// <summary>
/// The last lines of every container and of the Orchestrator itself, in a ring of bytes: a new line pushes the oldest out, and a writer never
/// waits. Sequence numbers are consecutive. Every reader begins with the oldest line that is kept, so that a session that was cut loses
/// nothing that is still here; it knows by the sequence what it has seen, and what was pushed out before it came.
/// </summary>
/// <param name="maxBytes">Bytes of the ring, headers of the frames included; room for one of the longest at least.</param>
internal sealed class LogBuffer(int maxBytes)
{
    // What is taken out is not bounded by the ring any more.
    // Below what the garbage collector calls large, with the longest line as well, which would cost a full collection every few chunks.
    private const int ChunkBytes = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly byte[] _ring = new byte[maxBytes];
    private IReadOnlyList<LogStream> _sources = [];

    // Positions count bytes since the start; modulo the ring's size they are places in it.
    private long _head;
    private long _tail;
    private ulong _first = 1;
    private ulong _next = 1;
    private TaskCompletionSource? _waiting;

    /// <summary>The number of a source, the same each time. There are as many as the manifest has containers, twice.</summary>
    public ushort Source(string container, string stream)
    {
        var source = new LogStream(container, stream);
        lock (_lock)
        {
            for (var i = 0; i < _sources.Count; i++)
            {
                if (_sources[i] == source)
                    return (ushort)i;
            }

            _sources = [.. _sources, source];
            return checked((ushort)(_sources.Count - 1));
        }
    }

    /// <summary>Adds a line without its end.</summary>
    public void Append(ushort source, ReadOnlySpan<byte> text, bool partial, DateTimeOffset time)
    {
        TaskCompletionSource? waiting;
        var ticks = (time - DateTimeOffset.UnixEpoch).Ticks;
        lock (_lock)
        {
            while (text.Length > LogFrame.MaxTextBytes)
            {
                var cut = Utf8Cut.Before(text, LogFrame.MaxTextBytes);
                Add(new LogFrame(ticks, source, Partial: true, cut), text[..cut]);
                text = text[cut..];
            }

            Add(new LogFrame(ticks, source, partial, text.Length), text);
            waiting = _waiting;
            _waiting = null;
        }

        waiting?.SetResult();
    }

    /// <summary>Everything that is kept and then whatever comes, in chunks of at most 64 KiB and one line, until cancelled.</summary>
    public async IAsyncEnumerable<LogChunk> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var (position, next) = (0L, 1ul);
        while (true)
        {
            LogChunk? chunk;
            Task more = Task.CompletedTask;
            lock (_lock)
            {
                chunk = Take(ref position, ref next);
                if (chunk is null)
                    more = (_waiting ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            if (chunk is not null)
                yield return chunk;
            else
                await more.WaitAsync(cancellation);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private LogChunk? Take(ref long position, ref ulong next)
    {
        if (next < _first)
            (position, next) = (_head, _first);
        if (next == _next)
            return null;
        var (first, from) = (next, position);
        for (; next < _next && position - from < ChunkBytes; next++)
            position += LogFrame.HeaderBytes + FrameAt(position).Length;
        var frames = new byte[position - from];
        CopyOut(from, frames);
        return new LogChunk(first, _sources, frames);
    }

    private void Add(LogFrame frame, ReadOnlySpan<byte> text)
    {
        while (_tail + LogFrame.HeaderBytes + text.Length - _head > _ring.Length)
        {
            _head += LogFrame.HeaderBytes + FrameAt(_head).Length;
            _first++;
        }

        Span<byte> header = stackalloc byte[LogFrame.HeaderBytes];
        frame.Write(header);
        CopyIn(header);
        CopyIn(text);
        _next++;
    }

    private LogFrame FrameAt(long position)
    {
        Span<byte> header = stackalloc byte[LogFrame.HeaderBytes];
        CopyOut(position, header);
        return LogFrame.Read(header);
    }

    private void CopyIn(ReadOnlySpan<byte> bytes)
    {
        var at = (int)(_tail % _ring.Length);
        var before = Math.Min(bytes.Length, _ring.Length - at);
        bytes[..before].CopyTo(_ring.AsSpan(at));
        bytes[before..].CopyTo(_ring);
        _tail += bytes.Length;
    }

    private void CopyOut(long position, Span<byte> bytes)
    {
        var at = (int)(position % _ring.Length);
        var before = Math.Min(bytes.Length, _ring.Length - at);
        _ring.AsSpan(at, before).CopyTo(bytes);
        _ring.AsSpan(0, bytes.Length - before).CopyTo(bytes[before..]);
    }
}
