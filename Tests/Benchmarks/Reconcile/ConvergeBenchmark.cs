using System.Diagnostics;
using Enclaves.Api;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>
/// How much longer than a plain client a Reconciler takes for the writes that new NEDs ask for.
/// </summary>
/// <remarks>
/// The clock runs from the first creation of a NED until a watch has seen each of them scheduled for its generation, which is written when
/// all its children exist. NEDs are created by the same client with the same parallelism in both cases, and worked as they appear. The
/// Reconciler and the plain client are measured in turns, so that what else the machine does hits both, and of several pairs the median
/// counts. The Reconciler has made some hundred NEDs before, as one has that has run for a while.
/// </remarks>
internal sealed class ConvergeBenchmark(ControlPlane plane)
{
    private const string Space = "reconciled";
    private const string PlainSpace = "plain";
    private const int Workers = 4;
    private const int WarmUp = 500;
    private static readonly string[] Children = ["configmaps", "deployments", "services"];
    private static readonly string[] Written = [.. Children, $"{NedNames.Plural}/status"];
    private int _events;
    private int _run;

    /// <summary>Runs it.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        await plane.CreateNamespace(Space, cancellation);
        await plane.CreateNamespace(PlainSpace, cancellation);
        await using var reconciler = await ReconcilerDaemon.Start(
            plane, "reconciler", cancellation, "--namespace", Space, "--workers", $"{Workers}");
        Figures.Step($"{WarmUp} NEDs of each to warm up");
        await Reconciled(WarmUp, reconciler, cancellation);
        await Plain(WarmUp, cancellation);
        await Pairs(1000, 3, reconciler, cancellation);
        await Pairs(5000, 1, reconciler, cancellation);
    }

    private async Task Pairs(int count, int pairs, ReconcilerDaemon reconciler, CancellationToken cancellation)
    {
        var ratios = new List<double>();
        var before = await plane.Api.Requests(cancellation);
        var seconds = new List<double>();
        for (var i = 0; i < pairs; i++)
        {
            var used = reconciler.Process.CpuTime();
            var ours = await Reconciled(count, reconciler, cancellation);
            used = reconciler.Process.CpuTime() - used;
            if (i == 0 && count == 1000)
                await PrintWrites(before, count, cancellation);
            var plain = await Plain(count, cancellation);
            Figures.Step($"pair {i + 1} of {pairs}: {count} NEDs in {ours:F2} s, plain {plain:F2} s, ratio {ours / plain:F2}; {used.TotalMilliseconds / count:F2} ms of CPU a NED");
            ratios.Add(ours / plain);
            seconds.Add(ours);
        }

        Figures.Print($"reconcile.converge_{count}_s", Figures.Median(seconds), "s", "none");
        Figures.Print($"reconcile.converge_{count}_ratio", Figures.Median(ratios), "", "≤ 1.3");
    }

    private async Task PrintWrites(RequestCounts before, int count, CancellationToken cancellation)
    {
        var after = await plane.Api.Requests(cancellation);
        Figures.Print("reconcile.writes_per_ned", (double)after.WritesSince(before, Written) / count, "", "4: three children and one status");
        Figures.Print("reconcile.events_per_ned", (double)after.WritesSince(before, "events") / count, "", "none");
        Figures.Print("reconcile.reads_per_ned", (double)after.Since(before, "GET", [.. Children, NedNames.Plural]) / count, "", "none");
    }

    private async Task<double> Reconciled(int count, ReconcilerDaemon reconciler, CancellationToken cancellation)
    {
        var load = new NedLoad(plane.Api, Space);
        var names = NedLoad.Names($"r{_run++}", count);
        var before = await plane.Api.Requests(cancellation);
        var seconds = await Timed(load, names, _ => Task.CompletedTask, cancellation);
        // The plain client writes as many events as were written until then.
        _events = (int)Math.Round((double)(await plane.Api.Requests(cancellation)).WritesSince(before, "events") / count);
        await reconciler.Idle(TimeSpan.FromSeconds(1), cancellation);
        await RequireChildren(Space, names, cancellation);
        return seconds;
    }

    private async Task<double> Plain(int count, CancellationToken cancellation)
    {
        var load = new NedLoad(plane.Api, PlainSpace);
        var names = NedLoad.Names($"p{_run++}", count);
        var seconds = await Timed(load, names, from => load.WriteChildren(names.Length, from, Workers, _events, cancellation), cancellation);
        await RequireChildren(PlainSpace, names, cancellation);
        return seconds;
    }

    private async Task<double> Timed(NedLoad load, string[] names, Func<string, Task> write, CancellationToken cancellation)
    {
        var from = await plane.Api.Version(load.Path, cancellation);
        var scheduled = load.Scheduled(names, from, cancellation);
        var clock = Stopwatch.StartNew();
        // Where one fails the others would wait for ever.
        await foreach (var ended in Task.WhenEach(load.Create(names, cancellation), write(from), scheduled))
            await ended;
        return clock.Elapsed.TotalSeconds;
    }

    // A figure for work that was not done would be none.
    private async Task RequireChildren(string space, string[] names, CancellationToken cancellation)
    {
        foreach (var path in new[] { $"apis/apps/v1/namespaces/{space}/deployments", $"api/v1/namespaces/{space}/services", $"api/v1/namespaces/{space}/configmaps" })
        {
            var found = await plane.Api.Count(path, names[0].Split('-')[0] + "-", cancellation);
            if (found != names.Length)
                throw new InvalidOperationException($"{path} has {found} objects of {names.Length} NEDs");
        }
    }
}
