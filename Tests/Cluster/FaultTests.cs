using Enclaves.Api;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Whatever breaks, the world converges to what the spec says: nothing is lost, nothing is done twice.</summary>
public sealed class FaultTests(ClusterFixture cluster)
{
    [Fact]
    public async Task A_watch_that_is_cut_and_refused_for_a_while_misses_nothing()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid("gone"));
        await space.Reconciled(ned: "gone", explain: () => reconciler.Log);
        reconciler.Proxy.Refuses = true;
        reconciler.Proxy.CutStreams();
        await space.Create(Neds.Valid());
        await space.Delete("gone");
        await Wait.Until("the Reconciler has noticed", () => Task.FromResult(reconciler.Log.Contains("interrupted", StringComparison.Ordinal)));
        reconciler.Proxy.Refuses = false;
        await space.Reconciled(explain: () => reconciler.Log);
        await Wait.Until("the garbage collector has taken what the deleted one left",
            async () => await space.Deployment("gone") is null && await space.Service("gone") is null && (await space.Manifests("gone")).Count == 0,
            explain: () => reconciler.Log);
        // A Reconciler that had missed the deletion would make them again.
        await IsWhole(space, reconciler);
        reconciler.Proxy.Writes.Count(write => write.StartsWith("PATCH", StringComparison.Ordinal) && write.EndsWith("/deployments/gone", StringComparison.Ordinal))
            .ShouldBe(1, reconciler.Log);
    }

    [Theory]
    [InlineData(409)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task A_write_that_fails_for_a_while_is_made_later(int status)
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var refused = 0;
        reconciler.Proxy.Answer = what => what.StartsWith("PATCH", StringComparison.Ordinal)
            && what.EndsWith("/deployments/hello", StringComparison.Ordinal) && Interlocked.Increment(ref refused) <= 3 ? status : null;
        await space.Create(Neds.Valid());
        await IsWhole(space, reconciler);
        refused.ShouldBe(4);
        // Three failures in a row are no reason to alarm anybody.
        await space.Told(["ManifestCreated", "DeploymentAccepted"]);
    }

    [Fact]
    public async Task A_failure_that_lasts_becomes_an_ERROR_and_is_taken_back_when_it_ends()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var broken = true;
        reconciler.Proxy.Answer = what => Volatile.Read(ref broken) && what.EndsWith("/deployments/hello", StringComparison.Ordinal) ? 500 : null;
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        ned.ConditionText("Reconciling").ShouldBe("True Retrying");
        ned.ConditionText("Stalled").ShouldBe("False NotStalled");
        Volatile.Write(ref broken, false);
        await IsWhole(space, reconciler);
    }

    private static async Task IsWhole(TestNamespace space, ReconcilerProcess reconciler)
    {
        var ned = await space.Reconciled(explain: () => reconciler.Log);
        await space.Settled();
        (await space.Manifests()).ShouldHaveSingleItem().Metadata.IsControlledBy(ned).ShouldBeTrue();
        (await space.Deployment())!.Metadata.IsControlledBy(ned).ShouldBeTrue();
        (await space.Service())!.Metadata.IsControlledBy(ned).ShouldBeTrue();
        (await space.Ned()).ConditionText("Scheduled").ShouldBe("True DeploymentAccepted");
    }
}
