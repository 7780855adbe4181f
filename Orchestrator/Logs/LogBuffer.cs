using System.Runtime.CompilerServices;

namespace Enclaves.Orchestrator.Logs;

/// <summary>One line, or a part of one, as <see cref="LogBuffer"/> keeps it.</summary>
internal sealed record LogEntry(ulong Sequence, DateTimeOffset Time, string Container, string Stream, byte[] Text, bool Partial);

/// <summary>
/// The last lines of every container and of the Orchestrator itself, bounded in bytes: a new line pushes the oldest out, and a writer never
/// waits. Sequence numbers are consecutive. Every reader begins with the oldest line that is kept, so that a session that was cut loses
/// nothing that is still here; it knows by the sequence what it has seen, and what was pushed out before it came.
/// </summary>
internal sealed class LogBuffer(int maxBytes)
{
    /// <summary>Bytes of one entry's text; a longer line is split.</summary>
    public const int MaxTextBytes = 16 * 1024;

    // What an entry costs beyond its text, roughly: a flood of empty lines must be bounded too.
    private const int EntryOverhead = 128;

    private readonly Lock _lock = new();
    private readonly LogEntry?[] _entries = new LogEntry?[(maxBytes / EntryOverhead) + 1];
    private long _bytes;
    private ulong _first = 1;
    private ulong _next = 1;
    private TaskCompletionSource _appended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Adds a line without its end.</summary>
    public void Append(string container, string stream, ReadOnlySpan<byte> text, bool partial, DateTimeOffset time)
    {
        TaskCompletionSource appended;
        lock (_lock)
        {
            while (text.Length > MaxTextBytes)
            {
                Add(new LogEntry(_next, time, container, stream, text[..MaxTextBytes].ToArray(), Partial: true));
                text = text[MaxTextBytes..];
            }

            Add(new LogEntry(_next, time, container, stream, text.ToArray(), partial));
            appended = _appended;
            _appended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        appended.SetResult();
    }

    /// <summary>Everything that is kept and then whatever comes, until cancelled.</summary>
    public async IAsyncEnumerable<LogEntry> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        ulong after = 0;
        while (true)
        {
            Task more;
            List<LogEntry> batch;
            lock (_lock)
            {
                more = _appended.Task;
                batch = Take(after);
            }

            foreach (var entry in batch)
            {
                yield return entry;
                after = entry.Sequence;
            }

            if (batch.Count == 0)
                await more.WaitAsync(cancellation);
        }
    }

    // A small batch: what is taken out is not bounded by the ring any more.
    private List<LogEntry> Take(ulong after)
    {
        const ulong most = 64;
        var batch = new List<LogEntry>();
        var from = Math.Max(after + 1, _first);
        for (var sequence = from; sequence < Math.Min(_next, from + most); sequence++)
            batch.Add(_entries[Slot(sequence)]!);
        return batch;
    }

    // The bound in bytes counts an overhead for each entry, so that there are never more entries than slots.
    private void Add(LogEntry entry)
    {
        _entries[Slot(_next++)] = entry;
        _bytes += entry.Text.Length + EntryOverhead;
        while (_bytes > maxBytes)
        {
            ref var oldest = ref _entries[Slot(_first)];
            _bytes -= oldest!.Text.Length + EntryOverhead;
            oldest = null;
            _first++;
        }
    }

    private int Slot(ulong sequence) => (int)(sequence % (ulong)_entries.Length);
}
