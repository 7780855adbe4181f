using System.Text.Json.Nodes;
using Enclaves.Tests.EndToEnd;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>A NED that is there although the Webhook would refuse it: made before a rule was, or while the Webhook was out of the way.</summary>
public sealed class RatchetTests(ClusterFixture cluster)
{
    [Fact]
    public async Task What_was_wrong_before_and_stays_as_it_was_does_not_stand_in_the_way()
    {
        await using var space = await WithInvalidNed();
        ((int)(await space.Patch(Neds.Name, """{"spec":{"minReadySeconds":7}}"""))["spec"]!["minReadySeconds"]!).ShouldBe(7);
        await Kubectl.Run("annotate", "ned", Neds.Name, "-n", space.Name, "looked=at");
        var refused = await Should.ThrowAsync<HttpOperationException>(() => space.Patch(Neds.Name, """{"spec":{"enclave":{"cpuCount":5}}}"""));
        refused.Response.Content.ShouldContain("spec.enclave.cpuCount");
        ((int)(await space.Patch(Neds.Name, """{"spec":{"enclave":{"cpuCount":4}}}"""))["spec"]!["enclave"]!["cpuCount"]!).ShouldBe(4);
        (await Should.ThrowAsync<HttpOperationException>(() => space.Patch(Neds.Name, """{"spec":{"enclave":{"cpuCount":3}}}""")))
            .Response.Content.ShouldContain("spec.enclave.cpuCount");
    }

    [Fact]
    public async Task Scaling_and_status_pass_by()
    {
        await using var space = await WithInvalidNed();
        await Kubectl.Run("scale", "ned", Neds.Name, "-n", space.Name, "--replicas=3");
        await space.PatchStatus("""{"status":{"ready":"0/3","replicas":3}}""");
        var ned = await space.Ned();
        ((int)ned["spec"]!["replicas"]!).ShouldBe(3);
        ((string)ned["status"]!["ready"]!).ShouldBe("0/3");
    }

    [Fact]
    public async Task It_can_be_deleted_and_its_last_finalizer_be_removed()
    {
        await using var space = await WithInvalidNed("example.com/hold");
        await space.Delete(Neds.Name);
        (await space.Ned())["metadata"]!["deletionTimestamp"].ShouldNotBeNull();
        await space.Patch(Neds.Name, """{"metadata":{"finalizers":null}}""");
        await Wait.Until("the NED is gone", async () => (await Kubectl.Get("ned", "-n", space.Name))["items"]!.AsArray().Count == 0);
    }

    [Fact]
    public async Task It_can_be_deleted()
    {
        await using var space = await WithInvalidNed();
        await Kubectl.Run("delete", "ned", Neds.Name, "-n", space.Name, "--timeout=60s");
        (await Kubectl.Get("ned", "-n", space.Name))["items"]!.AsArray().ShouldBeEmpty();
    }

    // The namespace is the Webhook's only after the NED was made.
    private async Task<TestNamespace> WithInvalidNed(params string[] finalizers)
    {
        var space = await TestNamespace.Create(cluster);
        var ned = Invalid(Neds.Name);
        ned["metadata"]!["finalizers"] = new JsonArray([.. finalizers.Select(name => JsonValue.Create(name))]);
        await space.Create(ned);
        await cluster.Client.CoreV1.PatchNamespaceAsync(
            new V1Patch($$"""{"metadata":{"labels":{"{{TestWebhook.RunLabel}}":"{{cluster.Run}}"} } }""", V1Patch.PatchType.MergePatch), space.Name);
        await Wait.Until("the Webhook is asked about the namespace", async () =>
            (await space.TryCreate(Invalid("another"))).Contains("spec.enclave.cpuCount", StringComparison.Ordinal));
        return space;
    }

    private static JsonObject Invalid(string name)
    {
        var ned = Neds.Valid(name);
        ned["spec"]!["enclave"]!["cpuCount"] = 3;
        return ned;
    }
}
