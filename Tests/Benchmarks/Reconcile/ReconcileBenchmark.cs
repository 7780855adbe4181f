namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>Measures the Reconciler against a control plane of its own.</summary>
internal static class ReconcileBenchmark
{
    private static readonly string[] Parts = ["converge", "steady", "failover", "memory"];

    /// <summary>Runs the parts that are named, or all.</summary>
    /// <returns>The program's exit code.</returns>
    public static async Task<int> Run(string etcd, string kubernetes, string[] parts, CancellationToken cancellation)
    {
        if (parts.FirstOrDefault(part => !Parts.Contains(part)) is { } unknown)
        {
            await Console.Error.WriteLineAsync($"reconcile has no part '{unknown}'; it has: {string.Join(", ", Parts)}");
            return 2;
        }

        foreach (var part in parts.Length > 0 ? parts : Parts)
        {
            // Each with a control plane of its own: what one leaves behind would slow the next one down.
            Figures.Step($"reconcile {part}: starting etcd and kube-apiserver");
            await using var plane = await ControlPlane.Start(etcd, kubernetes, cancellation);
            await (part switch
            {
                "converge" => new ConvergeBenchmark(plane).Run(cancellation),
                "steady" => new SteadyBenchmark(plane).Run(cancellation),
                "failover" => new FailoverBenchmark(plane).Run(cancellation),
                _ => new MemoryBenchmark(plane).Run(cancellation),
            });
        }

        return 0;
    }
}
