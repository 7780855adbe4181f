using Enclaves.Tests.Cluster.Oracle;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// A Reconciler is killed before and after each write that a change brings about, and the next one finishes what it finds. How many writes
/// there are is seen, not known: the last round is the one in which the change was through before the kill was due.
/// </summary>
public sealed class KillTests(ClusterFixture cluster)
{
    /// <summary>When a write meets the kill.</summary>
    private enum Moment
    {
        BeforeWrite,
        AfterWrite,
    }

    public static TheoryData<string> Scenarios => [.. KillScenario.All.Keys];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task A_Reconciler_killed_between_any_two_writes_is_finished_by_the_next(string scenario)
    {
        var kills = await Task.WhenAll(Enum.GetValues<Moment>().Select(moment => KillAtEach(KillScenario.All[scenario], moment)));
        TestContext.Current.TestOutputHelper!.WriteLine($"{scenario}: killed before {kills[0]} writes and after {kills[1]}");
        kills.ShouldAllBe(count => count > 0);
    }

    // Whoever finishes one round is killed in the next.
    private async Task<int> KillAtEach(KillScenario scenario, Moment moment)
    {
        await using var space = await TestNamespace.Create(cluster);
        var reconciler = await ReconcilerProcess.Start(space.Name);
        try
        {
            for (var write = 1;; write++)
            {
                var ned = $"ned-{write}";
                if (scenario.Before is { } before)
                {
                    await space.Create(before(ned));
                    await Converged(space, reconciler);
                }

                var killed = await IsKilled(space, reconciler, scenario, ned, moment, write);
                if (!killed)
                    return write - 1;
                var next = await ReconcilerProcess.Start(space.Name);
                await reconciler.DisposeAsync();
                reconciler = next;
                await Converged(space, reconciler);
            }
        }
        finally
        {
            await reconciler.DisposeAsync();
        }
    }

    private async Task<bool> IsKilled(TestNamespace space, ReconcilerProcess reconciler, KillScenario scenario, string ned, Moment moment, int target)
    {
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (begun, carriedOut) = (0, 0);
        Task Kill()
        {
            reconciler.Kill();
            killed.TrySetResult();
            return reconciler.Proxy.Forever();
        }

        reconciler.Proxy.BeforeWrite = async _ =>
        {
            var number = Interlocked.Increment(ref begun);
            if (number == 1 && scenario.DuringFirstWrite is { } meanwhile)
                await meanwhile(space, ned);
            if (number == target && moment == Moment.BeforeWrite)
                await Kill();
        };
        reconciler.Proxy.AfterWrite = _ => Interlocked.Increment(ref carriedOut) == target && moment == Moment.AfterWrite ? Kill() : Task.CompletedTask;
        await scenario.Change(space, ned);
        await Converged(space, reconciler, orElse: killed.Task);
        return killed.Task.IsCompleted;
    }

    private Task Converged(TestNamespace space, ReconcilerProcess reconciler, Task? orElse = null) =>
        Converge.Until(cluster.Client, space.Name, () => reconciler.Log, orElse);
}
