using System.Collections.Immutable;

namespace Enclaves.Reconciler.Control;

/// <summary>A change of one object in a store; Before is null for a new object, After for one that is gone.</summary>
/// <param name="Before">The object as it was.</param>
/// <param name="After">The object as it is.</param>
/// <param name="IsListed">Whether it was found in a list, among many that may be no news; else a watch has just told of it.</param>
internal readonly record struct StoreChange<T>(T? Before, T? After, bool IsListed = false)
    where T : class;

/// <summary>
/// The last known state of every object of one kind. Written by one <see cref="Reflector{T}"/>, read by anyone: readers get
/// immutable snapshots and never wait. Objects can be found by key and, when an index is given, by its value.
/// </summary>
internal sealed class ObjectStore<T>(Func<T, string?>? index = null)
    where T : class, IStored
{
    private readonly Lock _writer = new();
    private volatile Snapshot _snapshot = Snapshot.Empty;

    /// <summary>
    /// Raised after each change, on the writer's thread, one at a time. Handlers only put keys into queues: a slow one holds up the watch.
    /// </summary>
    public event Action<StoreChange<T>>? Changed;

    /// <summary>Number of objects.</summary>
    public int Count => _snapshot.Objects.Count;

    /// <summary>Every object, as of now.</summary>
    public IEnumerable<T> All => _snapshot.Objects.Values;

    /// <summary>The object of this key, or null.</summary>
    public T? Get(ObjectKey key) => _snapshot.Objects.GetValueOrDefault(key);

    /// <summary>The objects whose index value is this one; none when the store has no index.</summary>
    public IReadOnlyList<T> Find(string indexValue)
    {
        var snapshot = _snapshot;
        return snapshot.Index.TryGetValue(indexValue, out var keys) ? [.. keys.Select(key => snapshot.Objects[key])] : [];
    }

    /// <summary>Adds or replaces one object.</summary>
    public void Put(T item)
    {
        lock (_writer)
        {
            var before = Get(item.Key);
            if (before?.ResourceVersion == item.ResourceVersion)
                return;
            _snapshot = _snapshot.With(before, item, index);
            Changed?.Invoke(new StoreChange<T>(before, item));
        }
    }

    /// <summary>Removes one object; does nothing when it is not there.</summary>
    public void Remove(ObjectKey key)
    {
        lock (_writer)
        {
            if (Get(key) is not { } before)
                return;
            _snapshot = _snapshot.With(before, null, index);
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
            var old = _snapshot.Objects;
            var next = Snapshot.Empty;
            foreach (var item in items)
                next = next.With(next.Objects.GetValueOrDefault(item.Key), item, index);
            // The whole new state is visible before the first handler hears of any of it.
            _snapshot = next;
            foreach (var after in next.Objects.Values)
            {
                var before = old.GetValueOrDefault(after.Key);
                if (before?.ResourceVersion != after.ResourceVersion)
                    Changed?.Invoke(new StoreChange<T>(before, after, IsListed: true));
            }

            foreach (var gone in old.Values.Where(before => !next.Objects.ContainsKey(before.Key)))
                Changed?.Invoke(new StoreChange<T>(gone, null, IsListed: true));
        }
    }

    private sealed record Snapshot(
        ImmutableDictionary<ObjectKey, T> Objects,
        ImmutableDictionary<string, ImmutableHashSet<ObjectKey>> Index)
    {
        public static readonly Snapshot Empty = new(
            ImmutableDictionary<ObjectKey, T>.Empty,
            ImmutableDictionary.Create<string, ImmutableHashSet<ObjectKey>>(StringComparer.Ordinal));

        public Snapshot With(T? before, T? after, Func<T, string?>? indexOf)
        {
            var objects = after is not null ? Objects.SetItem(after.Key, after) : Objects.Remove(before!.Key);
            var entries = Index;
            if (before is not null && indexOf?.Invoke(before) is { } old && entries.TryGetValue(old, out var keys))
            {
                keys = keys.Remove(before.Key);
                entries = keys.IsEmpty ? entries.Remove(old) : entries.SetItem(old, keys);
            }

            if (after is not null && indexOf?.Invoke(after) is { } value)
                entries = entries.SetItem(value, entries.GetValueOrDefault(value, []).Add(after.Key));
            return new Snapshot(objects, entries);
        }
    }
}
