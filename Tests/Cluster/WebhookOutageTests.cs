using Enclaves.Api;
using Enclaves.Tests.Cluster.Oracle;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Without the Webhook no enclave pod is let in, since it would run the placeholder; what was refused comes by itself later.</summary>
public sealed class WebhookOutageTests(ClusterFixture cluster)
{
    [Fact]
    public async Task Pods_that_are_refused_while_the_Webhook_is_down_come_by_themselves_when_it_is_back()
    {
        await using var webhook = await TestWebhook.Start(cluster, $"{cluster.Run}-outage");
        await using var space = await TestNamespace.Create(cluster, webhook: webhook);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await Converge.Until(cluster.Client, space.Name, () => reconciler.Log);
        var before = (await Wait.For("a pod", async () => (await space.Pods()).FirstOrDefault())).Uid();
        await webhook.Kill();
        await cluster.Client.CoreV1.DeleteCollectionNamespacedPodAsync(space.Name, gracePeriodSeconds: 0, cancellationToken: TestContext.Current.CancellationToken);
        var said = await Wait.For("the NED says why it has no pod", async () =>
            (await space.Ned()).Condition("EnclavesHealthy") is var condition && (string?)condition["reason"] == "WebhookUnavailable" ? condition : null,
            explain: () => reconciler.Log);
        ((string)said["message"]!).ShouldContain("inject.test.k8s.oblv.com");
        (await space.Pods()).ShouldBeEmpty();

        await webhook.Serve();
        var pod = await Wait.For("a pod", async () => (await space.Pods()).FirstOrDefault(), explain: () => reconciler.Log);
        pod.Uid().ShouldNotBe(before);
        pod.Metadata.Annotations.ShouldContainKey(NedAnnotations.Injected);
        pod.Spec.Containers.ShouldAllBe(container => container.Image == TestWebhook.EnclaveHostImage);
        await Wait.Until("the NED says so no more", async () => (string?)(await space.Ned()).Condition("EnclavesHealthy")["reason"] != "WebhookUnavailable", explain: () => reconciler.Log);
        await Converge.Until(cluster.Client, space.Name, () => reconciler.Log);
    }
}
