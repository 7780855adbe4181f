using Enclaves.Channel.Logs;

namespace Enclaves.EnclaveHost.Otlp;

/// <summary>Lines that wait for the collector. Never blocks who adds: beyond the bound the oldest are dropped, counted, and told of in their place.</summary>
/// <param name="maxBytes">Bytes of the waiting lines, each counted with <see cref="LineOverhead"/> more than its text.</param>
internal sealed class OtlpQueue(int maxBytes) : IDisposable
{
    /// <summary>What a line costs beside its text, roughly: a flood of empty lines is bounded too.</summary>
    public const int LineOverhead = 256;

    private readonly Lock _lock = new();
    private readonly Queue<LogLine> _lines = new();
    private readonly SemaphoreSlim _some = new(0, 1);
    private long _bytes;
    private long _dropped;
    private long _droppedBefore;

    /// <summary>Lines dropped so far.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Adds a line.</summary>
    public void Add(LogLine line)
    {
        lock (_lock)
        {
            _lines.Enqueue(line);
            _bytes += Cost(line);
            while (_bytes > maxBytes)
            {
                _bytes -= Cost(_lines.Dequeue());
                _dropped++;
                _droppedBefore++;
            }

            if (_some.CurrentCount == 0)
                _some.Release();
        }
    }

    /// <summary>Waits until there is a line.</summary>
    public Task WaitAsync(CancellationToken cancellation) => _some.WaitAsync(cancellation);

    /// <summary>The oldest lines up to a bound, empty where there are none, with the number of those dropped before them.</summary>
    public (IReadOnlyList<LogLine> Lines, long DroppedBefore) Take(int mostLines, int mostBytes)
    {
        lock (_lock)
        {
            var taken = new List<LogLine>();
            for (var bytes = 0L; taken.Count < mostLines && bytes < mostBytes && _lines.TryDequeue(out var line);)
            {
                taken.Add(line);
                bytes += Cost(line);
                _bytes -= Cost(line);
            }

            if (_lines.Count > 0 && _some.CurrentCount == 0)
                _some.Release();
            var before = _droppedBefore;
            _droppedBefore = 0;
            return (taken, before);
        }
    }

    /// <summary>Counts lines that were taken and could not be handed over; the next batch tells of them.</summary>
    /// <param name="lines">How many.</param>
    /// <param name="untold">How many more the batch itself should have told of.</param>
    public void Lose(long lines, long untold = 0)
    {
        lock (_lock)
        {
            _dropped += lines;
            _droppedBefore += lines + untold;
        }
    }

    public void Dispose() => _some.Dispose();

    private static long Cost(LogLine line) => line.Text.Length + LineOverhead;
}
