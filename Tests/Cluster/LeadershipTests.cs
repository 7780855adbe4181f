using System.Diagnostics;
using k8s;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Two Reconcilers and one Lease. Times are those of a busy machine; what a release of the lease saves is measured by dev/bench.</summary>
public sealed class LeadershipTests(ClusterFixture cluster)
{
    private const string Lease = "reconciler";
    private const int LeaseSeconds = 15;

    [Fact]
    public async Task One_works_and_the_other_stands_by_until_the_first_is_stopped()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var first = await Leader(space.Name, "first");
        await using var second = await Start(space.Name, "second");
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => first.Log);
        second.Proxy.Writes.ShouldBeEmpty();
        await space.Settled();
        var stopped = Stopwatch.StartNew();
        first.Signal("TERM");
        await first.Ended();
        await Wait.Until("the second leads", async () => await Holder(space.Name) == "second", explain: () => second.Log);
        stopped.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(LeaseSeconds), "the lease was given away");
        await space.Patch(Neds.Name, """{"spec":{"replicas":2}}""");
        await Wait.Until("two replicas", async () => (await space.Deployment())!.Spec.Replicas == 2, explain: () => second.Log);
    }

    [Fact]
    public async Task One_that_is_killed_is_followed_when_its_lease_is_past()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var first = await Leader(space.Name, "first");
        await using var second = await Start(space.Name, "second");
        first.Kill();
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => second.Log);
        (await Holder(space.Name)).ShouldBe("second");
    }

    [Fact]
    public async Task One_that_was_frozen_past_its_lease_writes_nothing_any_more()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var first = await Leader(space.Name, "first");
        await using var second = await Start(space.Name, "second");
        first.Signal("STOP");
        await Wait.Until("the second leads", async () => await Holder(space.Name) == "second", explain: () => second.Log);
        // Changes that both learn of: the first when it wakes up.
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => second.Log);
        var writes = first.Proxy.Writes.Count(write => !write.Contains("/leases", StringComparison.Ordinal));
        first.Signal("CONT");
        await first.Ended();
        first.Proxy.Writes.Count(write => !write.Contains("/leases", StringComparison.Ordinal)).ShouldBe(writes, first.Log);
        (await Holder(space.Name)).ShouldBe("second");
        (await space.Manifests()).Count.ShouldBe(1);
    }

    private static Task<ReconcilerProcess> Start(string space, string identity) => ReconcilerProcess.Start(space,
        "--lease:namespace", space, "--lease:name", Lease, "--lease:identity", identity);

    private async Task<ReconcilerProcess> Leader(string space, string identity)
    {
        var reconciler = await Start(space, identity);
        await Wait.Until($"{identity} leads", async () => await Holder(space) == identity, explain: () => reconciler.Log);
        return reconciler;
    }

    private async Task<string> Holder(string space) => (await cluster.Client.CoordinationV1.ReadNamespacedLeaseAsync(Lease, space)).Spec.HolderIdentity;
}
