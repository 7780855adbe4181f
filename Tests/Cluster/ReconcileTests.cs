using System.Collections.Concurrent;
using Enclaves.Api;
using Enclaves.Channel.Manifest;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What a NED becomes.</summary>
public sealed class ReconcileTests(ClusterFixture cluster)
{
    [Fact]
    public async Task A_ned_becomes_manifest_Deployment_and_Service_which_it_owns()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(explain: () => reconciler.Log);

        var manifest = (await space.Manifests()).ShouldHaveSingleItem();
        var digest = (string)ned["status"]!["manifestDigest"]!;
        manifest.Name().ShouldBe($"hello-manifest-{digest[..10]}");
        manifest.Immutable.ShouldBe(true);
        manifest.Metadata.IsControlledBy(ned).ShouldBeTrue();
        ManifestCodec.Read(System.Text.Encoding.UTF8.GetBytes(manifest.Data["manifest.json"])).Containers[0].Image.ShouldBe("registry.example/web:1");

        var deployment = (await space.Deployment())!;
        deployment.Metadata.IsControlledBy(ned).ShouldBeTrue();
        deployment.Spec.Replicas.ShouldBe(1);
        var pod = deployment.Spec.Template;
        pod.Metadata.Labels["k8s.oblv.com/inject"].ShouldBe("true");
        pod.Metadata.Annotations["k8s.oblv.com/manifest"].ShouldBe(manifest.Name());
        pod.Metadata.Annotations["k8s.oblv.com/manifest-digest"].ShouldBe(digest);
        EnclaveSettings.FromJson(pod.Metadata.Annotations["k8s.oblv.com/enclave"]).MemoryMiB.ShouldBe(1024);
        pod.Spec.Containers.ShouldHaveSingleItem().Image.ShouldBe("auto");
        pod.Spec.AutomountServiceAccountToken.ShouldBe(false);
        pod.Spec.NodeSelector["k8s.oblv.com/test"].ShouldBe("nowhere");

        var service = (await space.Service())!;
        service.Metadata.IsControlledBy(ned).ShouldBeTrue();
        var port = service.Spec.Ports.ShouldHaveSingleItem();
        (port.Port, port.TargetPort.Value, port.Name).ShouldBe((80, "20000", "port-80"));
    }

    [Fact]
    public async Task The_status_says_how_far_the_enclaves_are_and_events_tell_of_transitions()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(explain: () => reconciler.Log);
        ((string)ned["status"]!["ready"]!).ShouldBe("0/1");
        ned.ConditionText("Scheduled").ShouldBe("True DeploymentAccepted");
        ned.ConditionText("EnclavesHealthy").ShouldStartWith("False ");

        // What a kubelet would say of a pod whose enclave is ready.
        var pod = (await Wait.For("a pod", async () => (await space.Pods()).FirstOrDefault())).Name();
        await space.PatchPodStatus(pod, """{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}""");
        await Wait.Until("READY is 1/1", async () => (string?)(await space.Ned())["status"]!["ready"] == "1/1", explain: () => reconciler.Log);
        ned = await space.Ned();
        ned.ConditionText("Ready").ShouldBe("True AllEnclavesReady");
        ned.ConditionText("Reconciling").ShouldBe("False Settled");
        ned.ConditionText("Stalled").ShouldBe("False NotStalled");
        await space.Settled();
        await space.Told(["ManifestCreated", "DeploymentAccepted", "EnclavesReady"]);
    }

    [Fact]
    public async Task A_pass_without_a_change_writes_nothing()
    {
        await using var space = await TestNamespace.Create(cluster);
        string before;
        await using (var first = await ReconcilerProcess.Start(space.Name))
        {
            await space.Create(Neds.Valid());
            await space.Reconciled(explain: () => first.Log);
            before = await space.Settled();
            // A manifest, a Deployment, a Service, and for each step of the Deployment a status; not one of them twice without need.
            first.Proxy.Writes.Count(write => write.EndsWith("/deployments/hello", StringComparison.Ordinal)).ShouldBe(1);
            first.Proxy.Writes.Count(write => write.Contains("/configmaps/", StringComparison.Ordinal)).ShouldBe(1);
        }

        // A new process looks at everything once more, and a label of somebody else's makes it look again.
        await using var second = await ReconcilerProcess.Start(space.Name);
        await space.PatchService("""{"metadata":{"labels":{"somebody":"else"}}}""");
        var labelled = await space.Settled();
        second.Proxy.Writes.ShouldBeEmpty(second.Log);
        string Without(string versions) => string.Join('\n', versions.Split('\n').Where(line => !line.StartsWith("Service", StringComparison.Ordinal)));
        Without(labelled).ShouldBe(Without(before));
    }

    [Theory]
    [InlineData("--jobs:resync", "* * * * * *")]
    [InlineData("--jobs:enabled", "false", "--resync", "00:00:01")]
    public async Task A_look_at_every_ned_by_a_job_or_by_a_timer_asks_the_server_nothing_where_nothing_is_to_do(params string[] arguments)
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name, arguments);
        for (var i = 0; i < 5; i++)
            await space.Create(Neds.Valid($"hello-{i}"));
        for (var i = 0; i < 5; i++)
            await space.Reconciled(ned: $"hello-{i}", explain: () => reconciler.Log);
        var asked = new ConcurrentQueue<string>();
        reconciler.Proxy.Answer = what =>
        {
            asked.Enqueue(what);
            return null;
        };
        int Looks() => reconciler.Log.Split("Looking at all 5 ").Length - 1;
        // What the first pods change may still be on its way; three looks in a row that find nothing are to follow it.
        var quiet = Looks();
        await Wait.Until("three looks at all that ask for nothing", () =>
        {
            if (!asked.IsEmpty)
            {
                asked.Clear();
                quiet = Looks();
            }

            return Task.FromResult(Looks() >= quiet + 4);
        }, explain: () => $"{string.Join('\n', asked)}\n{reconciler.Log}");
    }

    [Fact]
    public async Task A_changed_spec_gets_a_manifest_of_its_own_and_a_rollout()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        var before = await space.Reconciled(explain: () => reconciler.Log);
        await Wait.For("a ReplicaSet's pod", async () => (await space.Pods()).FirstOrDefault());
        await space.Patch("hello", """{"spec":{"userPlugins":[{"name":"web","image":"registry.example/web:2"}]}}""");
        var after = await space.Reconciled(explain: () => reconciler.Log);

        ((string)after["status"]!["manifestDigest"]!).ShouldNotBe((string)before["status"]!["manifestDigest"]!);
        var name = (await space.Deployment())!.Spec.Template.Metadata.Annotations["k8s.oblv.com/manifest"];
        (await space.Manifests()).Select(manifest => manifest.Name()).ShouldContain(name);
        // Without a hostPort there is no Service either.
        await Wait.Until("the Service is gone", async () => await space.Service() is null);
    }

    [Fact]
    public async Task Manifests_stay_while_a_ReplicaSet_uses_them_and_go_afterwards()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var ned = Neds.Valid();
        ned["spec"]!["revisionHistoryLimit"] = 1;
        ned["spec"]!["replicas"] = 0;
        await space.Create(ned);
        for (var i = 1; i <= 4; i++)
        {
            await space.Reconciled(explain: () => reconciler.Log);
            await Wait.Until($"{Math.Min(i, 2)} manifests: the current one and one to go back to",
                async () => (await space.Manifests()).Count == Math.Min(i, 2), explain: () => reconciler.Log);
            // A template that its controller has never seen gets no ReplicaSet, and its manifest is of no use.
            await space.Settled();
            await space.Patch("hello", $$$"""{"spec":{"userPlugins":[{"name":"web","image":"registry.example/web:v{{{i}}}"}]}}""");
        }
    }

    [Fact]
    public async Task Scaling_the_ned_scales_the_Deployment()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.PatchScale("""{"spec":{"replicas":3}}""");
        await Wait.Until("three replicas", async () => (await space.Deployment())!.Spec.Replicas == 3, explain: () => reconciler.Log);
        ((string)(await space.Reconciled())["status"]!["ready"]!).ShouldBe("0/3");
    }

    [Fact]
    public async Task A_change_of_strategy_to_Recreate_is_accepted_though_admission_has_filled_in_the_rolling_update()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Patch("hello", """{"spec":{"strategy":{"type":"Recreate"}}}""");
        await space.Reconciled(explain: () => reconciler.Log);
        (await space.Deployment())!.Spec.Strategy.Type.ShouldBe("Recreate");
    }

    [Fact]
    public async Task Deleting_the_ned_deletes_all_that_it_owned()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Delete("hello");
        await Wait.Until("Deployment, Service and manifests are gone",
            async () => await space.Deployment() is null && await space.Service() is null && (await space.Manifests()).Count == 0);
    }
}
