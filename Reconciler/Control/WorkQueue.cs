namespace Enclaves.Reconciler.Control;

/// <summary>How soon a key is wanted, beside the others that wait.</summary>
internal enum Priority
{
    /// <summary>There is no sign that anything has changed: a first list, a resync, a sweep.</summary>
    Low,

    /// <summary>Something has changed.</summary>
    Normal,
}

/// <summary>
/// A queue of keys with the semantics of client-go's work queue: a key that is already waiting is not added twice; a key that is added
/// while it is being worked is worked once more afterwards, never by two workers at once; failures come back later and later.
/// </summary>
/// <remarks>
/// A key's way: Add → dirty and waiting → GetAsync → processing → Done → (dirty again: waiting) or gone.
/// Bounded by the number of distinct keys, whatever the number of events.
/// Normal keys go before low ones, first come first served within each; after <see cref="NormalInARow"/> normal ones a low one that waits
/// has its turn, so that none waits for ever. A key that is asked for twice is worked once, at the earlier time and the higher priority.
/// A key that comes back after its work, by a delay or a failure, comes back at the priority it was worked at.
/// Retries after failures share an overall rate as well, if one is given; what is added is never slowed down by it.
/// </remarks>
internal sealed class WorkQueue<TKey>(TimeProvider time, BackOff backOff, TokenBucket? retries = null) : IDisposable
    where TKey : notnull
{
    /// <summary>Normal keys that are given out while a low one waits, before it is given out.</summary>
    public const int NormalInARow = 16;

    private readonly Lock _lock = new();
    private readonly Queue<TKey> _normal = new();
    private readonly LinkedList<TKey> _low = [];
    private readonly Dictionary<TKey, LinkedListNode<TKey>> _lowNodes = [];
    private readonly Dictionary<TKey, Priority> _dirty = [];
    private readonly Dictionary<TKey, Priority> _processing = [];
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly Dictionary<TKey, Delayed> _delayed = [];
    private readonly SemaphoreSlim _available = new(0);
    private int _normalInARow;
    private bool _closed;

    /// <summary>Keys that wait for a worker.</summary>
    public int Length
    {
        get
        {
            lock (_lock)
                return _normal.Count + _low.Count;
        }
    }

    /// <summary>Asks for one more look at this key, as soon as a worker is free.</summary>
    public void Add(TKey key, Priority priority = Priority.Normal)
    {
        lock (_lock)
        {
            if (_closed)
                return;
            // The look that was put off is no longer needed: this one is earlier and sees at least as much.
            if (_delayed.Remove(key, out var delayed))
            {
                delayed.Timer?.Dispose();
                priority = Higher(priority, delayed.Priority);
            }

            if (_dirty.TryGetValue(key, out var known) && known >= priority)
                return;
            _dirty[key] = priority;
            if (_lowNodes.Remove(key, out var node))
            {
                _low.Remove(node);
                _normal.Enqueue(key);
            }
            else if (!_processing.ContainsKey(key))
            {
                Enqueue(key, priority);
            }
        }
    }

    /// <summary>Asks for a look after a delay. A key that already waits for an earlier moment keeps it: never later than asked.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        lock (_lock)
        {
            if (_closed)
                return;
            var priority = _processing.GetValueOrDefault(key, Priority.Normal);
            if (delay <= TimeSpan.Zero)
            {
                Add(key, priority);
                return;
            }

            var due = time.GetUtcNow() + delay;
            if (_delayed.TryGetValue(key, out var present))
            {
                present.Priority = priority = Higher(priority, present.Priority);
                if (present.Due <= due)
                    return;
                present.Timer?.Dispose();
            }

            var entry = new Delayed(due, priority);
            _delayed[key] = entry;
            entry.Timer = time.CreateTimer(_ => Mature(key, entry), null, delay, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>
    /// Asks for a look after the delay that this key's failures in a row have earned, or later when the retries of all keys together are
    /// too many, or when the key is not wanted before.
    /// </summary>
    /// <returns>The delay.</returns>
    public TimeSpan AddAfterFailure(TKey key, TimeSpan? notBefore = null)
    {
        TimeSpan delay;
        lock (_lock)
        {
            var failures = _failures.GetValueOrDefault(key);
            _failures[key] = failures + 1;
            delay = new[] { backOff.Delay(failures), retries?.Reserve() ?? TimeSpan.Zero, notBefore ?? TimeSpan.Zero }.Max();
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
            var key = Dequeue();
            _dirty.Remove(key, out var priority);
            _processing.Add(key, priority);
            return key;
        }
    }

    /// <summary>Ends the work on a key. If it was added in the meantime it waits again.</summary>
    public void Done(TKey key)
    {
        lock (_lock)
        {
            _processing.Remove(key);
            if (!_closed && _dirty.TryGetValue(key, out var priority))
                Enqueue(key, priority);
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

    private static Priority Higher(Priority one, Priority other) => one > other ? one : other;

    private void Enqueue(TKey key, Priority priority)
    {
        if (priority == Priority.Normal)
            _normal.Enqueue(key);
        else
            _lowNodes[key] = _low.AddLast(key);
        _available.Release();
    }

    private TKey Dequeue()
    {
        if (_low.First is not { } first)
        {
            _normalInARow = 0;
            return _normal.Dequeue();
        }

        if (_normal.Count > 0 && _normalInARow < NormalInARow)
        {
            _normalInARow++;
            return _normal.Dequeue();
        }

        _normalInARow = 0;
        _low.RemoveFirst();
        _lowNodes.Remove(first.Value);
        return first.Value;
    }

    private void Mature(TKey key, Delayed entry)
    {
        lock (_lock)
        {
            // A timer that fired while its entry was being replaced must not take the new entry with it.
            if (_delayed.TryGetValue(key, out var present) && present == entry)
                Add(key, entry.Priority);
        }
    }

    private sealed class Delayed(DateTimeOffset due, Priority priority)
    {
        public DateTimeOffset Due { get; } = due;

        public Priority Priority { get; set; } = priority;

        public ITimer? Timer { get; set; }
    }
}
