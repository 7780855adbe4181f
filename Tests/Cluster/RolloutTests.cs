using Enclaves.Api;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Rollouts that are taken back, or held.</summary>
public sealed class RolloutTests(ClusterFixture cluster)
{
    [Fact]
    public async Task The_old_manifest_is_in_use_again_when_the_old_YAML_is_applied()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Settled();
        var first = (await space.Deployment())!.Spec.Template.Metadata.Annotations[NedAnnotations.Manifest];
        await space.Patch(Neds.Name, """{"spec":{"userPlugins":[{"name":"web","image":"registry.example/web:2","ports":[{"containerPort":8080,"hostPort":80}]}]}}""");
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Settled();
        var writes = reconciler.Proxy.Writes.Count;
        await space.Patch(Neds.Name, """{"spec":{"userPlugins":[{"name":"web","image":"registry.example/web:1","ports":[{"containerPort":8080,"hostPort":80}]}]}}""");
        await space.Reconciled(explain: () => reconciler.Log);
        (await space.Deployment())!.Spec.Template.Metadata.Annotations[NedAnnotations.Manifest].ShouldBe(first);
        // It was kept for this: nothing had to be made again.
        reconciler.Proxy.Writes.Skip(writes).ShouldNotContain(write => write.Contains("/configmaps/", StringComparison.Ordinal), reconciler.Log);
        (await space.Manifests()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_paused_rollout_waits_and_goes_on_when_it_is_let()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Settled();
        await space.Patch(Neds.Name, """{"spec":{"paused":true,"userPlugins":[{"name":"web","image":"registry.example/web:2"}]}}""");
        var paused = await Wait.For("the condition says that it is paused", async () =>
            await space.Ned() is var ned && ned.ConditionText("Reconciling") == "False Paused" ? ned : null, explain: () => reconciler.Log);
        ((string)paused.Condition("Reconciling")["message"]!).ShouldContain("spec.paused to false");
        (await space.Pods()).ShouldHaveSingleItem();
        await space.Patch(Neds.Name, """{"spec":{"paused":false}}""");
        var manifest = (await space.Deployment())!.Spec.Template.Metadata.Annotations[NedAnnotations.Manifest];
        await Wait.Until("the pod of the new template is there",
            async () => (await space.Pods()).Any(pod => pod.Metadata.Annotations[NedAnnotations.Manifest] == manifest), explain: () => reconciler.Log);
    }
}
