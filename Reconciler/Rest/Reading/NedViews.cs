using System.Collections.Frozen;
using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Rest.Serving;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>A version of a NED, and what lists and streams show of it: read and written as JSON when somebody asks for it the first time.</summary>
internal sealed class NedView(LiveObject live)
{
    private readonly Lazy<(byte[] Json, FrozenDictionary<string, string> Labels, NedItem Item)> _read = new(() =>
    {
        var item = NedReader.Item(live);
        return (JsonSerializer.SerializeToUtf8Bytes(item, RestJson.Options), item.Labels.ToFrozenDictionary(StringComparer.Ordinal), item);
    });

    /// <summary>Which NED.</summary>
    public ObjectKey Key => live.Key;

    /// <summary>As the API server has it.</summary>
    public LiveObject Live => live;

    /// <summary>As an item of a list.</summary>
    public NedItem Item => _read.Value.Item;

    /// <summary>The same as JSON, on one line.</summary>
    public ReadOnlyMemory<byte> Json => _read.Value.Json;

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels => _read.Value.Labels;
}

/// <summary>All NEDs at a moment, by namespace and name.</summary>
/// <param name="Version">Counts the changes before it.</param>
/// <param name="Neds">The NEDs.</param>
/// <param name="Namespaces">The namespaces that have some.</param>
internal sealed record NedSnapshot(long Version, NedView[] Neds, IReadOnlyList<string> Namespaces);

/// <summary>
/// What lists show: follows the store of NEDs from its beginning, and is put in order when somebody asks after a change. Thread-safe.
/// </summary>
internal sealed class NedViews
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, NedView> _views = [];
    private NedSnapshot? _now;
    private long _version;

    public NedViews(ClusterStores stores) => stores.Neds.Changed += Follow;

    /// <summary>Raised after each change, with the versions before and after it, on the thread that writes the store.</summary>
    public event Action<NedView?, NedView?>? Changed;

    /// <summary>All of them as of now.</summary>
    public NedSnapshot Now
    {
        get
        {
            lock (_lock)
                return _now ??= Order();
        }
    }

    private void Follow(StoreChange<LiveObject> change)
    {
        NedView? before, after = null;
        var key = (change.After ?? change.Before)!.Key;
        lock (_lock)
        {
            before = _views.GetValueOrDefault(key);
            if (change.After is { } live)
                _views[key] = after = new NedView(live);
            else
                _views.Remove(key);
            (_now, _version) = (null, _version + 1);
        }

        Changed?.Invoke(before, after);
    }

    private NedSnapshot Order()
    {
        var all = _views.Values.ToArray();
        Array.Sort(all, (one, other) => Compare(one.Key, other.Key));
        return new NedSnapshot(_version, all, [.. all.Select(view => view.Key.Namespace).Distinct(StringComparer.Ordinal)]);
    }

    /// <summary>The order of lists.</summary>
    public static int Compare(ObjectKey one, ObjectKey other) =>
        string.CompareOrdinal(one.Namespace, other.Namespace) is not 0 and var order ? order : string.CompareOrdinal(one.Name, other.Name);
}
