using System.Text.Json;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>The wanted values of a ConfigMap as they were at a version; the version is null and there are no values where it did not exist.</summary>
internal sealed record ConfigMapCopy(string? Version, IReadOnlyList<string>? Keys, IReadOnlyDictionary<string, ConfigValue> Values)
{
    /// <summary>Copies the wanted keys.</summary>
    /// <param name="live">The ConfigMap, or null where there is none.</param>
    /// <param name="keys">Sorted; null for all of them.</param>
    public static ConfigMapCopy Of(LiveObject? live, IReadOnlyList<string>? keys)
    {
        var values = new Dictionary<string, ConfigValue>(StringComparer.Ordinal);
        foreach (var (name, text) in Entries(live, "data", keys))
            values[name] = new ConfigValue(text);
        foreach (var (name, base64) in Entries(live, "binaryData", keys))
            values[name] = new ConfigValue(null, base64);
        return new ConfigMapCopy(live?.ResourceVersion, keys, values);
    }

    /// <summary>Whether these were the wanted keys.</summary>
    public bool IsOf(IReadOnlyList<string>? keys) => keys is null || Keys is null ? keys is null && Keys is null : Keys.SequenceEqual(keys, StringComparer.Ordinal);

    private static IEnumerable<(string Name, string Text)> Entries(LiveObject? live, string member, IReadOnlyList<string>? keys)
    {
        if (keys is not null)
            return keys.Select(name => (name, live?.TextAt(member, name))).Where(entry => entry.Item2 is not null).Select(entry => (entry.name, entry.Item2!));
        return live?.At(member) is { ValueKind: JsonValueKind.Object } entries
            ? entries.EnumerateObject().Where(entry => entry.Value.ValueKind == JsonValueKind.String).Select(entry => (entry.Name, entry.Value.GetString()!))
            : [];
    }
}

/// <summary>The values that one NED refers to.</summary>
internal sealed class ConfigValues(IReadOnlyDictionary<string, ConfigMapCopy> copies) : IConfigValues
{
    /// <inheritdoc/>
    public ConfigValue? Find(string configMap, string key) => copies.GetValueOrDefault(configMap)?.Values.GetValueOrDefault(key);

    /// <inheritdoc/>
    public IReadOnlyCollection<string>? KeysOf(string configMap) =>
        copies.GetValueOrDefault(configMap) is { Version: not null } copy ? [.. copy.Values.Keys] : null;
}
