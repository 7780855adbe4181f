using System.Globalization;
using Enclaves.Api;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>
/// What a Reconciler keeps in memory: without a NED, and for each of 10,000 with their Deployments, ReplicaSets and two pods each. There is
/// no controller and no node: the benchmark makes ReplicaSets and pods itself, as they are after injection and with the status of a pod
/// that runs.
/// </summary>
internal sealed class MemoryBenchmark(ControlPlane plane)
{
    private const int Count = 10_000;
    private const int Pods = 2;
    private const int Creators = 16;
    private const string Space = "memory";

    // Without a change, until what is garbage has been collected and given back.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(30);

    /// <summary>Runs it.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        await plane.CreateNamespace(Space, cancellation);
        long empty;
        var names = NedLoad.Names("m", Count);
        await using (var first = await ReconcilerDaemon.Start(plane, "reconciler-first", cancellation))
        {
            empty = await Resident(first, cancellation);
            Figures.Print("reconcile.rss_base_mb", empty / 1024.0, "MB", "≤ 150");
            Figures.Step($"creating {Count} NEDs");
            var load = new NedLoad(plane.Api, Space);
            var from = await plane.Api.Version(load.Path, cancellation);
            await Task.WhenAll(load.Create(names, cancellation), load.Scheduled(names, from, cancellation));
            Figures.Step($"creating a ReplicaSet and {Pods} pods for each");
            await NedLoad.InParallel(names, Creators, name => CreatePods(name, cancellation), cancellation);
            await first.Idle(TimeSpan.FromSeconds(2), cancellation);
            Print("reconcile.rss_kb_per_ned", await Resident(first, cancellation), empty);
        }

        // The first list is the largest that a Reconciler ever reads at once.
        await using var again = await ReconcilerDaemon.Start(plane, "reconciler-again", cancellation);
        await again.Idle(TimeSpan.FromSeconds(2), cancellation);
        Print("reconcile.rss_kb_per_ned_after_restart", await Resident(again, cancellation), empty);
        Figures.Print("reconcile.rss_peak_mb", again.Process.PeakKib() / 1024.0, "MB", "none");
    }

    private static void Print(string name, long kib, long empty)
    {
        Figures.Step($"{kib / 1024} MB resident; the goal for both together is 150 MB and {Count * 12 / 1024} MB");
        Figures.Print(name, (double)(kib - empty) / Count, "KB", "≤ 12");
    }

    private static async Task<long> Resident(ReconcilerDaemon reconciler, CancellationToken cancellation)
    {
        await Task.Delay(Settle, cancellation);
        return reconciler.Process.ResidentKib();
    }

    private async Task CreatePods(string ned, CancellationToken cancellation)
    {
        var set = $"{ned}-7c9f8d7b6c";
        await plane.Api.Send(HttpMethod.Post, $"apis/apps/v1/namespaces/{Space}/replicasets", EnclavePod.ReplicaSet(ned, set, Pods), ApiClient.Json, cancellation);
        for (var i = 0; i < Pods; i++)
        {
            var pod = string.Create(CultureInfo.InvariantCulture, $"{set}-x{i:d4}");
            await plane.Api.Send(HttpMethod.Post, $"api/v1/namespaces/{Space}/pods", EnclavePod.Pod(ned, set, pod), ApiClient.Json, cancellation);
            await plane.Api.Send(HttpMethod.Patch, $"api/v1/namespaces/{Space}/pods/{pod}/status", EnclavePod.Status(), ApiClient.Merge, cancellation);
        }
    }
}
