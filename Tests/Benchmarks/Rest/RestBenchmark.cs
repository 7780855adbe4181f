namespace Enclaves.Tests.Benchmarks.Rest;

/// <summary>What people and programs ask the Reconciler, and what it asks enclaves.</summary>
internal static class RestBenchmark
{
    private static readonly Dictionary<string, Func<CancellationToken, Task>> Parts = new(StringComparer.Ordinal)
    {
        ["list"] = ListBench.Run,
        ["stream"] = StreamBench.Run,
        ["sweep"] = SweepBench.Run,
    };

    /// <summary>Measures these parts, or all.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> Run(IReadOnlyList<string> parts, CancellationToken cancellation)
    {
        if (parts.FirstOrDefault(part => !Parts.ContainsKey(part)) is { } unknown)
        {
            await Console.Error.WriteLineAsync($"rest: unknown part '{unknown}'; one of: {string.Join(' ', Parts.Keys)}");
            return 2;
        }

        foreach (var part in parts.Count > 0 ? parts : [.. Parts.Keys])
            await Parts[part](cancellation);
        return 0;
    }
}
