using Enclaves.Api;
using Enclaves.Channel.Manifest;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>
/// Reads the ConfigMaps that NEDs refer to, and knows which NEDs those are. Their content is part of the manifest, so a change of it is a new
/// manifest and a rollout. Only metadata is watched; a content is read once for each version, and of it only the wanted keys are kept.
/// </summary>
internal sealed class ReferencedConfigMaps(ApiServer server, ClusterStores stores)
{
    private const int MaxNamed = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, HashSet<ObjectKey>> _users = [];
    private readonly Dictionary<ObjectKey, HashSet<ObjectKey>> _used = [];

    /// <summary>The NEDs that refer to a ConfigMap, as far as they have been worked.</summary>
    public IReadOnlyList<ObjectKey> UsersOf(ObjectKey configMap)
    {
        lock (_lock)
            return _users.TryGetValue(configMap, out var neds) ? [.. neds] : [];
    }

    /// <summary>Forgets a NED that is gone.</summary>
    public void Forget(ObjectKey ned) => Note(ned, []);

    /// <summary>Reads what a NED refers to; asks the server only for versions that were not read before.</summary>
    /// <exception cref="NedProblemException">A ConfigMap or key that is not optional is missing, or the values are too large for a manifest.</exception>
    public async Task<ConfigValues> ReadAsync(ObjectKey key, NitroEnclaveDeployment ned, NedMemory memory, CancellationToken cancellation)
    {
        var references = ConfigReference.Of(ned.Spec);
        var wanted = references.GroupBy(reference => reference.ConfigMap, reference => reference.Key, StringComparer.Ordinal)
            .ToDictionary(keys => keys.Key, WantedKeys, StringComparer.Ordinal);
        // Before they are read: a change that comes meanwhile brings the next pass.
        Note(key, [.. wanted.Keys.Select(name => new ObjectKey(key.Namespace, name))]);
        foreach (var gone in memory.ConfigMaps.Keys.Where(name => !wanted.ContainsKey(name)).ToList())
            memory.ConfigMaps.Remove(gone);
        foreach (var (name, keys) in wanted)
            memory.ConfigMaps[name] = await ReadOneAsync(new ObjectKey(key.Namespace, name), keys, memory.ConfigMaps.GetValueOrDefault(name), cancellation);
        var values = new ConfigValues(memory.ConfigMaps);
        RequirePresent(key, references, values);
        RequireRoom(references, values);
        return values;
    }

    // Null for all of them.
    private static List<string>? WantedKeys(IEnumerable<string?> keys)
    {
        var wanted = keys.Distinct(StringComparer.Ordinal).ToList();
        return wanted.Contains(null) ? null : [.. wanted.OfType<string>().Order(StringComparer.Ordinal)];
    }

    private async Task<ConfigMapCopy> ReadOneAsync(ObjectKey key, List<string>? keys, ConfigMapCopy? known, CancellationToken cancellation)
    {
        if (known is not null && known.Version == stores.ConfigMaps.Get(key)?.ResourceVersion && known.IsOf(keys))
            return known;
        // The watch may lag behind it, or behind its deletion: the server has the last word.
        return ConfigMapCopy.Of(await server.GetAsync(ResourceKind.ConfigMap, key, cancellation), keys);
    }

    private void Note(ObjectKey ned, HashSet<ObjectKey> configMaps)
    {
        lock (_lock)
        {
            foreach (var dropped in _used.GetValueOrDefault(ned, []).Where(configMap => !configMaps.Contains(configMap)))
            {
                if (_users[dropped].Remove(ned) && _users[dropped].Count == 0)
                    _users.Remove(dropped);
            }

            if (configMaps.Count == 0)
            {
                _used.Remove(ned);
                return;
            }

            _used[ned] = configMaps;
            foreach (var configMap in configMaps)
            {
                if (!_users.TryGetValue(configMap, out var neds))
                    _users[configMap] = neds = [];
                neds.Add(ned);
            }
        }
    }

    private static void RequirePresent(ObjectKey ned, IReadOnlyList<ConfigReference> references, ConfigValues values)
    {
        var missing = references.Where(reference => !reference.Optional && !IsPresent(reference, values)).ToList();
        if (missing.Count == 0)
            return;
        var named = missing.Take(MaxNamed).Select(reference => values.KeysOf(reference.ConfigMap) is null
            ? $"{reference.Path}: there is no ConfigMap {ned.Namespace}/{reference.ConfigMap}"
            : $"{reference.Path}: ConfigMap {ned.Namespace}/{reference.ConfigMap} has no key {reference.Key}{(reference.IsText ? " in its data" : "")}");
        var more = missing.Count > MaxNamed ? $"; and {missing.Count - MaxNamed} more" : "";
        throw new NedProblemException(new NedProblem(
            missing.Exists(reference => values.KeysOf(reference.ConfigMap) is null) ? Reasons.ConfigMapMissing : Reasons.ConfigMapKeyMissing,
            $"{string.Join("; ", named)}{more}; create what is missing, which is noticed by itself, or set optional to true. What ran before goes on running.", NeedsHelp: true)
        {
            OftenPasses = true,
        });
    }

    private static bool IsPresent(ConfigReference reference, ConfigValues values) => reference.Key is not { } key
        ? values.KeysOf(reference.ConfigMap) is not null
        : values.Find(reference.ConfigMap, key) is { } value && (value.Text is not null || !reference.IsText);

    // Before a manifest is made of them: one large value may be referred to thousands of times.
    private static void RequireRoom(IReadOnlyList<ConfigReference> references, ConfigValues values)
    {
        long size = 0;
        foreach (var reference in references)
        {
            size += (reference.Key is { } key ? [key] : values.KeysOf(reference.ConfigMap) ?? [])
                .Select(name => values.Find(reference.ConfigMap, name)).Sum(value => (long)(value?.Text ?? value?.Base64 ?? "").Length);
            if (size > ManifestLimits.MaxBytes)
            {
                throw new NedProblemException(new NedProblem(Reasons.InvalidManifest,
                    $"{reference.Path}: with this the values of ConfigMaps exceed the {ManifestLimits.MaxBytes} bytes that a manifest may have; refer to less, or make the values smaller.", NeedsHelp: true));
            }
        }
    }
}
