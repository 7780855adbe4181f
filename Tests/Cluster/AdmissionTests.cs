using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using k8s.Autorest;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>The Webhook, asked by the real API server.</summary>
public sealed class AdmissionTests(ClusterFixture cluster)
{
    [Fact]
    public async Task Absent_sections_are_filled_and_a_second_apply_changes_nothing()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var ned = await space.Create(Neds.Valid());
        ((string)ned["spec"]!["enclave"]!["hugepageSize"]!).ShouldBe("2Mi");
        ((string)ned["spec"]!["service"]!["type"]!).ShouldBe("ClusterIP");
        ((string)ned["spec"]!["strategy"]!["type"]!).ShouldBe("RollingUpdate");
        ((int)ned["spec"]!["replicas"]!).ShouldBe(1);
        // Nothing inside a list is filled in: a client that compares lists as a whole would never be in sync.
        ned["spec"]!["userPlugins"]![0]!.AsObject().Select(member => member.Key).ShouldBe(["image", "name", "ports"], ignoreOrder: true);

        var again = await space.Patch("hello", Neds.Valid().ToJsonString());
        ((string)again["metadata"]!["resourceVersion"]!).ShouldBe((string)ned["metadata"]!["resourceVersion"]!);
    }

    [Theory]
    [InlineData("""{"userPlugins":[]}""", "spec.userPlugins")]
    [InlineData("""{"enclave":{"cpuCount":3}}""", "spec.enclave.cpuCount")]
    [InlineData("""{"enclave":{"memory":"1Gi1"}}""", "spec.enclave.memory")]
    [InlineData("""{"userPlugins":[{"name":"web","image":"Not An Image"}]}""", "spec.userPlugins[0].image")]
    public async Task An_invalid_ned_is_refused_with_the_path_of_what_is_wrong(string spec, string path)
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var causes = await Refusal(space, spec);
        causes.ShouldHaveSingleItem().Field.ShouldBe(path);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_said_at_once()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var causes = await Refusal(space,
            """{"enclave":{"cpuCount":3,"memory":"1Mi"},"userPlugins":[{"name":"web","image":"Not An Image"},{"name":"Web","image":"registry.example/web:1"}]}""");
        causes.Select(cause => cause.Field).ShouldBe(
            ["spec.enclave.cpuCount", "spec.enclave.memory", "spec.userPlugins[0].image", "spec.userPlugins[1].name"], ignoreOrder: true);
        causes.ShouldAllBe(cause => cause.Message.Length > 10);
    }

    [Fact]
    public async Task An_invalid_change_is_refused_and_the_ned_stays_as_it_was()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        await space.Create(Neds.Valid());
        var refused = await Should.ThrowAsync<HttpOperationException>(() => space.Patch("hello", """{"spec":{"enclave":{"cpuCount":5}}}"""));
        refused.Response.Content.ShouldContain("spec.enclave.cpuCount");
        ((int)(await space.Ned())["spec"]!["enclave"]!["cpuCount"]!).ShouldBe(2);
    }

    [Fact]
    public async Task The_pods_of_a_ned_are_injected_and_accepted_by_the_api_server()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(explain: () => reconciler.Log);
        var pod = await Wait.For("a pod", async () => (await space.Pods()).FirstOrDefault(), explain: () => reconciler.Log);

        pod.Annotations().ShouldContainKey("k8s.oblv.com/injected");
        pod.Spec.AutomountServiceAccountToken.ShouldBe(false);
        var container = pod.Spec.Containers.ShouldHaveSingleItem();
        container.Image.ShouldBe(TestWebhook.EnclaveHostImage);
        container.Resources.Limits["aws.ec2.nitro/nitro_enclaves"].ToString().ShouldBe("1");
        container.Resources.Limits["hugepages-2Mi"].ToString().ShouldBe("1Gi");
        container.SecurityContext.RunAsNonRoot.ShouldBe(true);
        container.SecurityContext.ReadOnlyRootFilesystem.ShouldBe(true);
        container.Ports.ShouldContain(port => port.ContainerPort == 20000);
        container.ReadinessProbe.HttpGet.Path.ShouldBe("/readyz");
        var manifest = pod.Spec.Volumes.Single(volume => volume.ConfigMap is not null).ConfigMap;
        manifest.Name.ShouldBe($"hello-manifest-{((string)ned["status"]!["manifestDigest"]!)[..10]}");
    }

    [Fact]
    public async Task A_labelled_pod_without_what_injection_needs_is_refused_with_a_reason()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var refused = await Should.ThrowAsync<HttpOperationException>(() => space.CreatePod(new V1Pod
        {
            Metadata = new V1ObjectMeta { Name = "bare", Labels = new Dictionary<string, string> { [NedLabels.Inject] = NedLabels.InjectValue } },
            Spec = new V1PodSpec { AutomountServiceAccountToken = false, Containers = [new V1Container { Name = NedNames.HostContainer, Image = NedNames.AutoImage }] },
        }));
        refused.Response.Content.ShouldContain("k8s.oblv.com/enclave");
    }

    private static async Task<IReadOnlyList<(string Field, string Message)>> Refusal(TestNamespace space, string spec)
    {
        var ned = Neds.Valid();
        foreach (var (name, value) in JsonNode.Parse(spec)!.AsObject())
            ned["spec"]![name] = value!.DeepClone();
        var refused = await Should.ThrowAsync<HttpOperationException>(() => space.Create(ned));
        var causes = JsonNode.Parse(refused.Response.Content)!["details"]?["causes"]?.AsArray()
            ?? throw new JsonException($"no causes in: {refused.Response.Content}");
        return [.. causes.Select(cause => ((string)cause!["field"]!, (string)cause["message"]!))];
    }
}
