using Enclaves.Api;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Pods of other controllers than ours, injected between the real API server and those controllers.</summary>
public sealed class InjectionTests(ClusterFixture cluster)
{
    // Written for readers, and applied here as it stands there.
    private static readonly IReadOnlyList<object> Example = KubernetesYaml.LoadAllFromString(
        File.ReadAllText(Path.Combine(DevelopmentCluster.Repository, "docs/injection.md")).Split("```yaml\n")[1].Split("```")[0]);

    [Fact]
    public async Task The_pods_of_a_stateful_set_and_of_a_job_are_injected_as_the_document_says()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        await cluster.Client.CoreV1.CreateNamespacedConfigMapAsync(Example.OfType<V1ConfigMap>().Single(), space.Name, cancellationToken: TestContext.Current.CancellationToken);
        await cluster.Client.AppsV1.CreateNamespacedStatefulSetAsync(Example.OfType<V1StatefulSet>().Single(), space.Name, cancellationToken: TestContext.Current.CancellationToken);
        await cluster.Client.BatchV1.CreateNamespacedJobAsync(Example.OfType<V1Job>().Single(), space.Name, cancellationToken: TestContext.Current.CancellationToken);

        var ledger = await Pod(space, "app=ledger");
        ledger.Name().ShouldBe("ledger-0");
        ShouldBeInjected(ledger);
        ledger.Spec.Volumes.Single(volume => volume.Name == "data").PersistentVolumeClaim.ClaimName.ShouldBe("data-ledger-0");
        ledger.Spec.Containers.Single(container => container.Name == "backup").VolumeMounts.ShouldHaveSingleItem().MountPath.ShouldBe("/data");

        var nightly = await Pod(space, "job-name=nightly");
        ShouldBeInjected(nightly);
        nightly.Spec.RestartPolicy.ShouldBe("Never");
        nightly.Spec.Volumes.Single(volume => volume.Projected is not null).Projected.Sources.SelectMany(source => source.Secret.Items).Select(item => item.Path)
            .ShouldBe(["registry-login/.dockerconfigjson", "signing/key.pem"]);
    }

    [Fact]
    public async Task A_template_that_contradicts_itself_is_told_in_an_event_of_its_workload()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var wrong = KubernetesYaml.Deserialize<V1StatefulSet>(KubernetesYaml.Serialize(Example.OfType<V1StatefulSet>().Single()));
        wrong.Spec.Template.Metadata.Annotations[NedAnnotations.Enclave] =
            """{"cpuCount":3,"memoryMiB":1024,"hugepageSize":"2Mi","ports":[],"pullSecrets":[],"debugMode":false}""";
        wrong.Spec.Template.Metadata.Annotations.Remove(NedAnnotations.Manifest);
        await cluster.Client.AppsV1.CreateNamespacedStatefulSetAsync(wrong, space.Name, cancellationToken: TestContext.Current.CancellationToken);

        var told = await Wait.For("an event that tells of the refusal", async () => (await cluster.Client.CoreV1.ListNamespacedEventAsync(space.Name, cancellationToken: TestContext.Current.CancellationToken)).Items
            .FirstOrDefault(item => item.InvolvedObject.Kind == "StatefulSet" && item.InvolvedObject.Name == "ledger" && item.Reason == "FailedCreate"));
        told.Message.ShouldContain("metadata.annotations[k8s.oblv.com/enclave].cpuCount: is 3, allowed is an even number from 2 to 256");
        told.Message.ShouldContain("metadata.annotations[k8s.oblv.com/manifest]: is missing");
        (await cluster.Client.CoreV1.ListNamespacedPodAsync(space.Name, cancellationToken: TestContext.Current.CancellationToken)).Items.ShouldBeEmpty();
    }

    private async Task<V1Pod> Pod(TestNamespace space, string labels) =>
        await Wait.For($"a pod with {labels}", async () => (await cluster.Client.CoreV1.ListNamespacedPodAsync(space.Name, labelSelector: labels)).Items.FirstOrDefault());

    private static void ShouldBeInjected(V1Pod pod)
    {
        pod.Annotations().ShouldContainKey(NedAnnotations.Injected);
        var host = pod.Spec.Containers.Single(container => container.Name == NedNames.HostContainer);
        host.Image.ShouldBe(TestWebhook.EnclaveHostImage);
        host.Resources.Limits["hugepages-2Mi"].ToString().ShouldBe("1Gi");
        host.Resources.Requests["cpu"].ToString().ShouldBe("2100m");
        host.VolumeMounts.ShouldContain(mount => mount.MountPath == "/etc/enclave/manifest");
        host.VolumeMounts.ShouldNotContain(mount => mount.MountPath.StartsWith("/var/run/secrets"));
        pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms.ShouldHaveSingleItem()
            .MatchExpressions.ShouldHaveSingleItem().Key.ShouldBe("k8s.oblv.com/test");
    }
}
