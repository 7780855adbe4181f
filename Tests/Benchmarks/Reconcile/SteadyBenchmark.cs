using System.Diagnostics;
using System.Globalization;
using Enclaves.Api;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>A Reconciler with 5,000 NEDs: a look at all of them that finds nothing to do, and how soon a change is worked.</summary>
internal sealed class SteadyBenchmark(ControlPlane plane)
{
    private const int Count = 5000;
    private const int Changes = 1000;
    private const string Space = "steady";
    private const string Deployments = $"apis/apps/v1/namespaces/{Space}/deployments";

    // So often that one resync hardly ends before the next begins.
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ChangeTimeout = TimeSpan.FromSeconds(30);
    private static readonly string[] Resources = ["configmaps", "deployments", "services", "events", "pods", "replicasets", NedNames.Plural, $"{NedNames.Plural}/status"];

    /// <summary>Runs it.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        await plane.CreateNamespace(Space, cancellation);
        var names = NedLoad.Names("s", Count);
        await using (var idle = await ReconcilerDaemon.Start(plane, "reconciler-idle", cancellation, "--resync", "0"))
        {
            Figures.Step($"creating {Count} NEDs");
            var load = new NedLoad(plane.Api, Space);
            var from = await plane.Api.Version(load.Path, cancellation);
            await Task.WhenAll(load.Create(names, cancellation), load.Scheduled(names, from, cancellation));
            await idle.Idle(TimeSpan.FromSeconds(2), cancellation);
            Figures.Print("reconcile.change_p99_ms", await ChangesP99(names, 3, cancellation), "ms", "≤ 50");
            await idle.Idle(TimeSpan.FromSeconds(2), cancellation);
        }

        await using var reconciler = await ReconcilerDaemon.Start(
            plane, "reconciler", cancellation, "--resync", Resync.ToString("c", CultureInfo.InvariantCulture));
        await Quiet(reconciler, cancellation);
        Figures.Print("reconcile.change_during_resync_p99_ms", await ChangesP99(names, 4, cancellation), "ms", "≤ 50");
    }

    // From the first pass of a resync to its last; the one after the start is not it.
    private async Task Quiet(ReconcilerDaemon reconciler, CancellationToken cancellation)
    {
        await reconciler.Idle(TimeSpan.FromSeconds(1), cancellation);
        var before = await plane.Api.Requests(cancellation);
        var passes = await reconciler.Passes(cancellation);
        // From the last look before the first pass on, as many may come between two looks: never less than it took.
        var began = Stopwatch.GetTimestamp();
        for (var now = passes; now < passes + Count; now = await reconciler.Passes(cancellation))
        {
            if (now == passes)
                began = Stopwatch.GetTimestamp();
            await Task.Delay(5, cancellation);
        }

        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var after = await plane.Api.Requests(cancellation);
        Figures.Print("reconcile.resync_writes", after.WritesSince(before, Resources), "", "0");
        Figures.Print("reconcile.resync_reads", after.Since(before, "LIST", Resources) + after.Since(before, "GET", Resources), "", "0");
        Figures.Print("reconcile.resync_5000_s", seconds, "s", "< 5");
    }

    // From the moment at which a user's patch is sent until a watch shows it in the Deployment; patch and watch are part of it.
    private async Task<double> ChangesP99(string[] names, int replicas, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, TaskCompletionSource<long>>();
        var from = await plane.Api.Version(Deployments, cancellation);
        var watch = Watch(from, replicas, seen, end.Token);
        var (times, writes) = (new List<double>(), new List<double>());
        var load = new NedLoad(plane.Api, Space);
        // The first ones compile what is measured.
        foreach (var (name, i) in names.Where((_, i) => i % (Count / Changes) == 0).Take(Changes).Select((name, i) => (name, i)))
        {
            var change = seen[name] = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            var sent = Stopwatch.GetTimestamp();
            await plane.Api.Send(HttpMethod.Patch, $"{load.Path}/{name}", $$$"""{"spec":{"replicas":{{{replicas}}}}}""", ApiClient.Merge, cancellation);
            var written = Stopwatch.GetTimestamp();
            var reached = await change.Task.WaitAsync(ChangeTimeout, cancellation);
            if (i >= Changes / 4)
            {
                times.Add(Stopwatch.GetElapsedTime(sent, reached).TotalMilliseconds);
                writes.Add(Stopwatch.GetElapsedTime(sent, written).TotalMilliseconds);
            }

            // Not in step with anything.
            await Task.Delay(Random.Shared.Next(5, 30), cancellation);
        }

        await end.CancelAsync();
        await watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        times.Sort();
        writes.Sort();
        Figures.Step($"{times.Count} changes: median {times[times.Count / 2]:F1} ms, longest {times[^1]:F1} ms; "
            + $"of that the user's own write, before which there is nothing to work: median {writes[writes.Count / 2]:F1} ms, p99 {writes[writes.Count * 99 / 100]:F1} ms");
        return times[times.Count * 99 / 100];
    }

    private async Task Watch(
        string from, int replicas, System.Collections.Concurrent.ConcurrentDictionary<string, TaskCompletionSource<long>> seen, CancellationToken cancellation)
    {
        await foreach (var deployment in plane.Api.Watch(Deployments, from, cancellation))
        {
            if (deployment.GetProperty("spec").GetProperty("replicas").GetInt32() == replicas
                && seen.TryGetValue(deployment.GetProperty("metadata").GetProperty("name").GetString()!, out var change))
            {
                change.TrySetResult(Stopwatch.GetTimestamp());
            }
        }
    }
}
