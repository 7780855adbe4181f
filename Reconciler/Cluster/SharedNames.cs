using System.Collections.Concurrent;

namespace Enclaves.Reconciler.Cluster;

/// <summary>One copy of a name that many objects have in common, as their namespace.</summary>
internal static class SharedNames
{
    // More than a cluster has namespaces; beyond it, names are simply not shared.
    private const int Most = 10_000;

    private static readonly ConcurrentDictionary<string, string> Names = new(StringComparer.Ordinal);

    /// <summary>The copy of a name that is shared.</summary>
    public static string Of(string name) =>
        Names.TryGetValue(name, out var shared) ? shared : Names.Count < Most ? Names.GetOrAdd(name, name) : name;
}
