using System.Text.Json.Nodes;
using Enclaves.Api;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What the recurring jobs do to a real cluster; ReconcileTests tries the looks at every NED, and ActionTests that all is right without jobs.</summary>
public sealed class JobTests(ClusterFixture cluster)
{
    [Fact]
    public async Task Only_the_leader_runs_jobs()
    {
        await using var space = await TestNamespace.Create(cluster);
        string[] Arguments(string identity) => ["--lease:namespace", space.Name, "--lease:name", "jobs", "--lease:identity", identity, "--jobs:resync", "* * * * * *"];
        await using var first = await ReconcilerProcess.Start(space.Name, Arguments("first"));
        await Wait.Until("the first runs jobs", () => Task.FromResult(Looks(first) > 0), explain: () => first.Log);
        await using var second = await ReconcilerProcess.Start(space.Name, Arguments("second"));
        var looks = Looks(first);
        await Wait.Until("the first goes on", () => Task.FromResult(Looks(first) >= looks + 3), explain: () => first.Log);
        Looks(second).ShouldBe(0, second.Log);
        first.Signal("TERM");
        await first.Ended();
        await Wait.Until("the second runs them", () => Task.FromResult(Looks(second) > 0), explain: () => second.Log);
    }

    [Fact]
    public async Task A_manifest_that_nothing_uses_goes_with_the_job()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name, "--jobs:resync", "", "--jobs:manifests", "*/2 * * * * *");
        var ned = await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        var manifest = (await space.Manifests()).Single();
        // As one that an earlier Reconciler made and whose revision is gone.
        await cluster.Client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap
        {
            Metadata = new V1ObjectMeta { Name = $"{Neds.Name}-manifest-0000000000", Labels = manifest.Metadata.Labels, OwnerReferences = manifest.Metadata.OwnerReferences },
        }, space.Name, cancellationToken: TestContext.Current.CancellationToken);
        await Wait.Until("it is deleted", async () => (await space.Manifests()).Count == 1, explain: () => reconciler.Log);
        (await space.Manifests()).Single().Name().ShouldBe(manifest.Name());
        manifest.Metadata.IsControlledBy(ned).ShouldBeTrue();
    }

    // How a pod's EnclaveHost is asked is tried with real ones in the end-to-end suite; here nobody answers.
    [Fact]
    public async Task A_ready_pod_that_is_silent_at_three_sweeps_is_told_in_the_status_once()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name, "--jobs:resync", "", "--jobs:healthSweep", "* * * * * *");
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        var pod = (await Wait.For("a pod", async () => (await space.Pods()).FirstOrDefault())).Name();
        // Nobody listens on EnclaveHost's port where the API server is.
        var address = cluster.Client.BaseUri.Host;
        await space.PatchPodStatus(pod, new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["phase"] = "Running",
                ["podIP"] = address,
                ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = address }),
                ["conditions"] = new JsonArray(Condition("PodScheduled"), Condition("Ready"), Condition("ContainersReady")),
                ["containerStatuses"] = new JsonArray(new JsonObject
                {
                    ["name"] = NedNames.HostContainer, ["image"] = "x", ["imageID"] = "x", ["ready"] = true, ["restartCount"] = 0,
                    ["state"] = new JsonObject { ["running"] = new JsonObject { ["startedAt"] = "2026-01-01T00:00:00Z" } },
                }),
            },
        }.ToJsonString());
        await Wait.Until("the silence is told", async () => (await space.Ned()).ConditionText("EnclavesHealthy") == "False EnclaveHostSilent", explain: () => reconciler.Log);
        (await space.Ned()).ConditionText("Ready").ShouldBe("True AllEnclavesReady");
        var version = (string?)(await space.Ned())["metadata"]!["resourceVersion"];
        await Task.Delay(TimeSpan.FromSeconds(6), TestContext.Current.CancellationToken);
        ((string?)(await space.Ned())["metadata"]!["resourceVersion"]).ShouldBe(version, "more sweeps have found nothing else");
    }

    [Fact]
    public async Task A_schedule_that_is_none_is_refused_at_the_start_with_its_option()
    {
        var failed = await Should.ThrowAsync<InvalidOperationException>(ReconcilerProcess.Start("default", "--jobs:resync", "often"));
        failed.Message.ShouldContain("--jobs:resync \"often\"");
    }

    private static JsonObject Condition(string type) => new() { ["type"] = type, ["status"] = "True", ["lastTransitionTime"] = "2026-01-01T00:00:00Z" };

    private static int Looks(ReconcilerProcess reconciler) => reconciler.Log.Split("NitroEnclaveDeployments again").Length - 1;
}
