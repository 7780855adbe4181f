using Enclaves.Tests.Cluster.Oracle;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Tests that disturb the whole cluster, one after another and beside nothing else.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DisturbingCluster
{
    public const string Name = "disturbs the cluster";
}

[Collection(DisturbingCluster.Name)]
public sealed class ApiServerRestartTests(ClusterFixture cluster)
{
    private static readonly string[] ShortLease = ["--lease:duration", "00:00:05", "--lease:renewDeadline", "00:00:03", "--lease:renewInterval", "00:00:01"];

    [Theory]
    [InlineData("kube-apiserver")]
    [InlineData("etcd")]
    public async Task After_a_restart_the_Reconciler_goes_on_by_itself(string daemon)
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await DevelopmentCluster.Run("restart", daemon);
        await Accepted(() => space.Patch(Neds.Name, """{"spec":{"replicas":2}}"""));
        await Wait.Until("two replicas", async () => (await space.Deployment())!.Spec.Replicas == 2, explain: () => reconciler.Log);
        (await space.Reconciled(explain: () => reconciler.Log)).ConditionText("Scheduled").ShouldBe("True DeploymentAccepted");
        await Converge.Until(cluster.Client, space.Name, () => reconciler.Log);
    }

    [Fact]
    public async Task What_was_missed_before_a_restart_and_is_no_longer_told_is_found_by_a_new_list()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Create(Neds.Valid("gone"));
        await Converge.Until(cluster.Client, space.Name, () => reconciler.Log);
        reconciler.Proxy.Refuses = true;
        reconciler.Proxy.CutStreams();
        await space.Delete("gone");
        await space.Create(Neds.Valid("new"));
        await space.DeleteService();
        // What a server remembers of the past it does not take over a restart: whoever asks for it is answered 410.
        await DevelopmentCluster.Run("restart", "kube-apiserver");
        await Accepted(() => space.Patch(Neds.Name, """{"spec":{"userPlugins":[{"name":"web","image":"registry.example/web:2"}]}}"""));
        reconciler.Proxy.Refuses = false;
        await Converge.Until(cluster.Client, space.Name, () => reconciler.Log);
        reconciler.Log.ShouldContain("listing again, the version is not available");
        reconciler.Proxy.Writes.Count(write => write.EndsWith("/deployments/gone", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_leader_that_is_without_the_api_server_for_longer_than_its_lease_ends_and_one_leads_when_it_is_back()
    {
        await using var space = await TestNamespace.Create(cluster);
        string[] lease = ["--lease:namespace", space.Name, "--lease:name", "reconciler", .. ShortLease];
        await using var first = await Supervised.Start(space.Name, [.. lease, "--lease:identity", "first"]);
        await using var second = await Supervised.Start(space.Name, [.. lease, "--lease:identity", "second"]);
        string Logs() => $"first:\n{first.Log}\nsecond:\n{second.Log}";
        await space.Create(Neds.Valid());
        await Converge.Until(cluster.Client, space.Name, Logs);
        var before = await space.Lease("reconciler");
        var leader = before.Spec.HolderIdentity == "first" ? first : second;
        await DevelopmentCluster.Run("stop", "kube-apiserver");
        await Wait.Until("the leader ends by itself", () => Task.FromResult(leader.EndedByItself > 0), explain: Logs);
        var writes = Writes(leader);
        await DevelopmentCluster.Run("up");
        await Accepted(() => space.Patch(Neds.Name, """{"spec":{"replicas":2}}"""));
        await Wait.Until("one leads again", async () => (await space.Lease("reconciler")).Spec.RenewTime > before.Spec.RenewTime, explain: Logs);
        await Converge.Until(cluster.Client, space.Name, Logs);
        // Whichever leads now, the other one has written nothing since.
        var holder = (await space.Lease("reconciler")).Spec.HolderIdentity;
        var standby = holder == "first" ? second : first;
        Writes(standby).ShouldBe(standby == leader ? writes : 0, Logs());
    }

    private static int Writes(Supervised reconciler) => reconciler.Proxy.Writes.Count(write => !write.Contains("/leases", StringComparison.Ordinal));

    private static Task Accepted(Func<Task> change) => Wait.Until("the API server takes a change", async () =>
    {
        await change();
        return true;
    });
}
