using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Tests.EndToEnd;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What kubectl and server-side apply show of the Webhook's answers.</summary>
public sealed class ApplyTests(ClusterFixture cluster)
{
    private static readonly string[] Wrong = ["spec.enclave.cpuCount", "spec.enclave.memory", "spec.userPlugins[0].image", "spec.userPlugins[1].name"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Kubectl_shows_every_error_at_once(bool isServerSide)
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var result = await Apply(space, Bad(), isServerSide ? ["--server-side"] : []);
        result.ExitCode.ShouldNotBe(0);
        foreach (var path in Wrong)
            result.Error.ShouldContain(path);
    }

    [Fact]
    public async Task Server_side_apply_is_told_the_path_of_every_error()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var refused = await Should.ThrowAsync<HttpOperationException>(() => cluster.Client.CustomObjects.PatchNamespacedCustomObjectAsync(
            new V1Patch(Bad().ToJsonString(), V1Patch.PatchType.ApplyPatch), NedNames.Group, NedNames.Version, space.Name, NedNames.Plural, Neds.Name, fieldManager: "somebody"));
        var status = JsonNode.Parse(refused.Response.Content)!;
        ((int)status["code"]!).ShouldBe(422);
        status["details"]!["causes"]!.AsArray().Select(cause => (string)cause!["field"]!).ShouldBe(Wrong, ignoreOrder: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_legal_but_unwise_is_warned_of(bool isServerSide)
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var ned = Neds.Valid();
        ned["spec"]!["enclave"]!["debugMode"] = true;
        var result = await Apply(space, ned, isServerSide ? ["--server-side"] : []);
        result.ExitCode.ShouldBe(0, result.Error);
        result.Error.ShouldContain("Warning: spec.enclave.debugMode:");
        result.Error.ShouldContain("Warning: spec.userPlugins[0].image:");
    }

    [Fact]
    public async Task What_was_filled_in_belongs_to_nobody_and_can_be_taken_by_another_manager()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        (await Apply(space, Neds.Valid(), "--server-side", "--field-manager=one")).ExitCode.ShouldBe(0);
        (await Apply(space, Neds.Valid(), "--server-side", "--field-manager=two")).ExitCode.ShouldBe(0);
        var others = JsonNode.Parse("""
            {"replicas":2,"restartPolicy":"Never","minReadySeconds":3,"enclave":{"hugepageSize":"1Gi","debugMode":true},"service":{"type":"NodePort"},
             "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}
            """)!;
        var result = await Apply(space, Bare(others), "--server-side", "--field-manager=three");
        result.ExitCode.ShouldBe(0, result.Error);
        var ned = await space.Ned();
        ((string)ned["spec"]!["enclave"]!["hugepageSize"]!).ShouldBe("1Gi");
        ((int)ned["spec"]!["replicas"]!).ShouldBe(2);
    }

    [Fact]
    public async Task A_dry_run_answers_and_changes_nothing()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var created = await Apply(space, Neds.Valid(), "--dry-run=server", "-o", "json");
        ((string)JsonNode.Parse(created.Output)!["spec"]!["enclave"]!["hugepageSize"]!).ShouldBe("2Mi");
        (await Kubectl.Get("ned", "-n", space.Name))["items"]!.AsArray().ShouldBeEmpty();
        (await Apply(space, Bad(), "--dry-run=server")).Error.ShouldContain(Wrong[0]);

        var ned = await space.Create(Neds.Valid());
        await Kubectl.Run("patch", "ned", Neds.Name, "-n", space.Name, "--type=merge", "--dry-run=server", "-p", """{"spec":{"replicas":5}}""");
        ((string)(await space.Ned())["metadata"]!["resourceVersion"]!).ShouldBe((string)ned["metadata"]!["resourceVersion"]!);
    }

    [Fact]
    public async Task A_name_can_be_generated()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var ned = Neds.Valid();
        ned["metadata"] = new JsonObject { ["generateName"] = "made-" };
        var created = await space.Create(ned);
        ((string)created["metadata"]!["name"]!).ShouldStartWith("made-");
        ((string)created["spec"]!["enclave"]!["hugepageSize"]!).ShouldBe("2Mi");
    }

    [Theory]
    [InlineData("ned", "Runs containers inside AWS Nitro Enclaves")]
    [InlineData("ned.spec", "how many enclaves, how large, and what runs in them")]
    [InlineData("ned.spec.enclave.memory", "At least 64Mi, a whole multiple of hugepageSize")]
    [InlineData("ned.spec.userPlugins.outboundConnections.fqdn", "A host name without wildcard")]
    [InlineData("ned.spec.userPlugins.livenessProbe", "Exactly one of exec, httpGet and tcpSocket.")]
    [InlineData("ned.spec.privilegedPlugins.spec.logsAccess", "For kind logging only")]
    [InlineData("ned.spec.template.affinity.nodeAffinity", "node affinity")]
    [InlineData("ned.status.manifestDigest", "SHA-384")]
    public async Task Kubectl_explains_every_field(string path, string sentence)
    {
        // The API server publishes a CRD's schema a moment after the CRD.
        await Wait.Until($"kubectl explain {path}", async () =>
        {
            var result = await Kubectl.Try(null, "explain", path);
            // It breaks lines where it likes.
            return string.Join(' ', result.Output.Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries)).Contains(sentence, StringComparison.Ordinal);
        });
    }

    private static Task<ToolResult> Apply(TestNamespace space, JsonObject ned, params string[] arguments) =>
        Kubectl.Try(ned.ToJsonString(), ["apply", "-n", space.Name, "-f", "-", .. arguments]);

    private static JsonObject Bad()
    {
        var ned = Neds.Valid();
        ned["spec"]!["enclave"] = new JsonObject { ["cpuCount"] = 3, ["memory"] = "1Mi" };
        ned["spec"]!["userPlugins"]![0]!["image"] = "Not An Image";
        ned["spec"]!["userPlugins"]!.AsArray().Add(new JsonObject { ["name"] = "Web", ["image"] = "registry.example/web:1" });
        return ned;
    }

    private static JsonObject Bare(JsonNode spec)
    {
        var ned = Neds.Valid();
        ned["spec"] = spec;
        return ned;
    }
}
