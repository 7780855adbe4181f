namespace Enclaves.Reconciler.Control;

/// <summary>A change of one object in a store; Before is null for a new object, After for one that is gone.</summary>
/// <param name="Before">The object as it was.</param>
/// <param name="After">The object as it is.</param>
/// <param name="IsListed">Whether it was found in a list, among many that may be no news; else a watch has just told of it.</param>
internal readonly record struct StoreChange<T>(T? Before, T? After, bool IsListed = false)
    where T : class;

/// <summary>
/// The last known state of every object of one kind. Written by one <see cref="Reflector{T}"/>, read by anyone: what a call returns is of one
/// moment, and no reader waits for handlers. Objects can be found by key and, when an index is given, by its value.
/// </summary>
internal sealed class ObjectStore<T>(Func<T, string?>? index = null)
    where T : class, IStored
{
    // One change at a time with its handlers, which read from here; the other lock is held for a step or two.
    private readonly Lock _writer = new();
    private readonly Lock _lock = new();
    private State _state = new(index, 0);

    /// <summary>
    /// Raised after each change, on the writer's thread, one at a time. Handlers only put keys into queues: a slow one holds up the watch.
    /// </summary>
    public event Action<StoreChange<T>>? Changed;

    /// <summary>Number of objects.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _state.Objects.Count;
        }
    }

    /// <summary>Every object, as of now.</summary>
    public IReadOnlyList<T> All
    {
        get
        {
            lock (_lock)
                return [.. _state.Objects.Values];
        }
    }

    /// <summary>The object of this key, or null.</summary>
    public T? Get(ObjectKey key)
    {
        lock (_lock)
            return _state.Objects.GetValueOrDefault(key);
    }

    /// <summary>The objects whose index value is this one; none when the store has no index.</summary>
    public IReadOnlyList<T> Find(string indexValue)
    {
        lock (_lock)
            return _state.Find(indexValue);
    }

    /// <summary>Adds or replaces one object.</summary>
    public void Put(T item)
    {
        lock (_writer)
        {
            T? before;
            lock (_lock)
            {
                before = _state.Objects.GetValueOrDefault(item.Key);
                if (before?.ResourceVersion == item.ResourceVersion)
                    return;
                _state.Put(item);
            }

            Changed?.Invoke(new StoreChange<T>(before, item));
        }
    }

    /// <summary>Removes one object; does nothing when it is not there.</summary>
    public void Remove(ObjectKey key)
    {
        lock (_writer)
        {
            T? before;
            lock (_lock)
                before = _state.Remove(key);
            if (before is not null)
                Changed?.Invoke(new StoreChange<T>(before, null));
        }
    }

    /// <summary>
    /// Makes the store hold exactly these objects. Changes are raised by difference, deletions among them: they may have been missed
    /// while no watch was open.
    /// </summary>
    public void Replace(IReadOnlyCollection<T> items)
    {
        lock (_writer)
        {
            var next = new State(index, items.Count);
            foreach (var item in items)
                next.Put(item);
            var old = _state;
            // The whole new state is visible before the first handler hears of any of it.
            lock (_lock)
                _state = next;
            foreach (var after in next.Objects.Values)
            {
                var before = old.Objects.GetValueOrDefault(after.Key);
                if (before?.ResourceVersion != after.ResourceVersion)
                    Changed?.Invoke(new StoreChange<T>(before, after, IsListed: true));
            }

            foreach (var gone in old.Objects.Values.Where(before => !next.Objects.ContainsKey(before.Key)))
                Changed?.Invoke(new StoreChange<T>(gone, null, IsListed: true));
        }
    }

    // The arrays are never changed, so that they can be given out; each holds the few objects of one owner.
    private sealed class State(Func<T, string?>? index, int capacity)
    {
        private readonly Dictionary<string, T[]> _index = new(StringComparer.Ordinal);

        public Dictionary<ObjectKey, T> Objects { get; } = new(capacity);

        public T[] Find(string indexValue) => _index.GetValueOrDefault(indexValue, []);

        public void Put(T item)
        {
            if (Objects.TryGetValue(item.Key, out var before))
                Unlist(before);
            Objects[item.Key] = item;
            if (index?.Invoke(item) is { } value)
                _index[value] = [.. Find(value), item];
        }

        public T? Remove(ObjectKey key)
        {
            if (Objects.Remove(key, out var before))
                Unlist(before);
            return before;
        }

        private void Unlist(T item)
        {
            if (index?.Invoke(item) is not { } value)
                return;
            T[] rest = [.. Find(value).Where(other => other != item)];
            if (rest.Length == 0)
                _index.Remove(value);
            else
                _index[value] = rest;
        }
    }
}
