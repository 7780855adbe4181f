namespace Enclaves.Reconciler.Control;

/// <summary>
/// A queue of keys with the semantics of client-go's work queue: a key that is already waiting is not added twice; a key that is added
/// while it is being worked is worked once more afterwards, never by two workers at once; failures come back later and later.
/// </summary>
/// <remarks>
/// A key's way: Add → dirty and waiting → GetAsync → processing → Done → (dirty again: waiting) or gone.
/// Bounded by the number of distinct keys, whatever the number of events.
/// </remarks>
internal sealed class WorkQueue<TKey>(TimeProvider time, BackOff backOff) : IDisposable
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Queue<TKey> _waiting = new();
    private readonly HashSet<TKey> _dirty = [];
    private readonly HashSet<TKey> _processing = [];
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly Dictionary<TKey, Delayed> _delayed = [];
    private readonly SemaphoreSlim _available = new(0);
    private bool _closed;

    /// <summary>Keys that wait for a worker.</summary>
    public int Length
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    /// <summary>Asks for one more look at this key, as soon as a worker is free.</summary>
    public void Add(TKey key)
    {
        lock (_lock)
        {
            if (_closed)
                return;
            // The look that was put off is no longer needed: this one is earlier and sees at least as much.
            if (_delayed.Remove(key, out var delayed))
                delayed.Timer?.Dispose();
            if (!_dirty.Add(key) || _processing.Contains(key))
                return;
            _waiting.Enqueue(key);
            _available.Release();
        }
    }

    /// <summary>Asks for a look after a delay. A key that already waits for an earlier moment keeps it: never later than asked.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (_lock)
        {
            if (_closed)
                return;
            var due = time.GetUtcNow() + delay;
            if (_delayed.TryGetValue(key, out var present))
            {
                if (present.Due <= due)
                    return;
                present.Timer?.Dispose();
            }

            var entry = new Delayed(due);
            _delayed[key] = entry;
            entry.Timer = time.CreateTimer(_ => Mature(key, entry), null, delay, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Asks for a look after the delay that this key's failures in a row have earned.</summary>
    /// <returns>The delay.</returns>
    public TimeSpan AddAfterFailure(TKey key)
    {
        TimeSpan delay;
        lock (_lock)
        {
            var failures = _failures.GetValueOrDefault(key);
            _failures[key] = failures + 1;
            delay = backOff.Delay(failures);
        }

        AddAfter(key, delay);
        return delay;
    }

    /// <summary>Failures of a key in a row.</summary>
    public int Failures(TKey key)
    {
        lock (_lock)
            return _failures.GetValueOrDefault(key);
    }

    /// <summary>Forgets the failures of a key, after a success.</summary>
    public void Forget(TKey key)
    {
        lock (_lock)
            _failures.Remove(key);
    }

    /// <summary>The next key, when there is one. It must be given back with <see cref="Done"/>.</summary>
    public async Task<TKey> GetAsync(CancellationToken cancellation)
    {
        await _available.WaitAsync(cancellation);
        lock (_lock)
        {
            var key = _waiting.Dequeue();
            _dirty.Remove(key);
            _processing.Add(key);
            return key;
        }
    }

    /// <summary>Ends the work on a key. If it was added in the meantime it waits again.</summary>
    public void Done(TKey key)
    {
        lock (_lock)
        {
            _processing.Remove(key);
            if (_closed || !_dirty.Contains(key))
                return;
            _waiting.Enqueue(key);
            _available.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (var delayed in _delayed.Values)
                delayed.Timer?.Dispose();
            _delayed.Clear();
        }
    }

    private void Mature(TKey key, Delayed entry)
    {
        lock (_lock)
        {
            // A timer that fired while its entry was being replaced must not take the new entry with it.
            if (!_delayed.TryGetValue(key, out var present) || present != entry)
                return;
            Add(key);
        }
    }

    private sealed class Delayed(DateTimeOffset due)
    {
        public DateTimeOffset Due { get; } = due;

        public ITimer? Timer { get; set; }
    }
}
