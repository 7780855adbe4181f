using System.Diagnostics;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>How long a change waits when the leader ends: the time from its end until the other has carried the change out.</summary>
internal sealed class FailoverBenchmark(ControlPlane plane)
{
    private const string Space = "failover";
    private const int Rounds = 3;

    // The chart leaves the Reconciler's own.
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private readonly NedLoad _load = new(plane.Api, Space);
    private int _started;

    /// <summary>Runs it.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        await plane.CreateNamespace(Space, cancellation);
        var leader = await Start(cancellation);
        try
        {
            await Reached("warm", cancellation);
            (var graceful, leader) = await Rounded(leader, "TERM", cancellation);
            Figures.Print("reconcile.failover_graceful_s", graceful, "s", "≤ 2");
            (var killed, leader) = await Rounded(leader, "KILL", cancellation);
            Figures.Print("reconcile.failover_kill_over_lease_s", killed - Lease.TotalSeconds, "s", "≤ 1");
        }
        finally
        {
            await leader.DisposeAsync();
        }
    }

    // The longest of some: where in the standby's second the end falls is chance.
    private async Task<(double Longest, ReconcilerDaemon Leader)> Rounded(ReconcilerDaemon leader, string signal, CancellationToken cancellation)
    {
        var longest = 0.0;
        for (var i = 0; i < Rounds; i++)
        {
            var standby = await Start(cancellation);
            // It has seen the lease, and the moment is no multiple of anything.
            await Task.Delay(TimeSpan.FromSeconds(2.5 + Random.Shared.NextDouble()), cancellation);
            var clock = Stopwatch.StartNew();
            leader.Process.Signal(signal);
            // While it ends it may still carry out what it is given, which is no fail-over; and its lease is given away last of all.
            await leader.Process.Ended(cancellation);
            await Reached($"f{_started}", cancellation);
            longest = Math.Max(longest, clock.Elapsed.TotalSeconds);
            Figures.Step($"SIG{signal}, {i + 1} of {Rounds}: {clock.Elapsed.TotalSeconds:F2} s");
            await leader.DisposeAsync();
            leader = standby;
        }

        return (longest, leader);
    }

    private async Task Reached(string prefix, CancellationToken cancellation)
    {
        var names = NedLoad.Names(prefix, 1);
        var from = await plane.Api.Version(_load.Path, cancellation);
        await Task.WhenAll(_load.Create(names, cancellation), _load.Scheduled(names, from, cancellation));
    }

    private Task<ReconcilerDaemon> Start(CancellationToken cancellation)
    {
        var name = $"reconciler-{_started++}";
        return ReconcilerDaemon.Start(plane, name, cancellation,
            "--lease:namespace", Space, "--lease:name", "reconciler", "--lease:identity", name);
    }
}
