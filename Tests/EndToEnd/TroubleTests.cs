using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>What keeps enclaves from being ready, provoked on a real node, is told by a named cause with the next step.</summary>
public sealed partial class TroubleTests
{
    private const string Image = "10.210.0.2:5000/enclaves/hello:dev";

    [Fact]
    public async Task The_story_of_a_missing_Secret_is_told_in_order_and_without_repeating_itself()
    {
        await using var hello = await Deployed.Apply(change: yaml => yaml.Replace($"image: {Image}", $"image: {Image}\n    imagePullSecret: login", StringComparison.Ordinal));
        (await hello.Unhealthy("SecretMissing")).ShouldContain("the Secret login, which is not in the namespace: create it");
        await Kubectl.Run("create", "secret", "generic", "login", "-n", hello.Namespace, "--from-literal=wrong=key");
        (await hello.Unhealthy("SecretKeyMissing")).ShouldContain("the key .dockerconfigjson, which the Secret login does not have: add it");
        await Kubectl.Run("patch", "secret", "login", "-n", hello.Namespace, "-p", """{"stringData":{".dockerconfigjson":"{\"auths\":{}}"}}""");
        await hello.UntilReady();

        string[] story = ["ManifestCreated", "DeploymentAccepted", "SecretMissing", "SecretKeyMissing", "EnclavesReady"];
        var text = "";
        // Events follow the status that they tell of.
        await Eventually.Holds("kubectl describe tells the story", TimeSpan.FromSeconds(30),
            async () => Event().Matches(text = await Kubectl.Run("describe", "ned", Deployed.Hello, "-n", hello.Namespace)).Select(line => line.Groups["reason"].Value).SequenceEqual(story),
            () => Task.FromResult(text));
        var events = text[text.IndexOf("\nEvents:", StringComparison.Ordinal)..];
        events.ShouldNotContain("(combined from similar events)");
        events.ShouldNotContain("(x");
        Event().Matches(text).Select(line => line.Groups["type"].Value).ShouldBe(["Normal", "Normal", "Warning", "Warning", "Normal"]);
        // The conditions above say how it ended.
        text.ShouldMatch(@"Message:\s+All 1 enclaves run generation 1 and are ready\.");
    }

    // What each provokes, in the plugin's own fields.
    [Theory]
    [InlineData("image: 10.210.0.2:5000/enclaves/hello:no-such-tag", "PluginImagePull", "10.210.0.2:5000/enclaves/hello:no-such-tag")]
    [InlineData("image: " + Image + "\n    command: [\"/no/such/program\"]", "PluginNotStarted", "/no/such/program")]
    [InlineData("image: " + Image + "\n    command: [\"/bin/sh\", \"-c\", \"exit 3\"]", "PluginRestarting", "exit code 3")]
    [InlineData("image: " + Image + "\n    command: [\"/bin/sh\", \"-c\", \"exit 4\"]\n    restartPolicy: Never", "PluginUnhealthy", "exit code 4")]
    [InlineData("image: " + Image + "\n    env: [{ name: PORT, value: \"9999\" }]", "PluginUnhealthy", "does not accept connections on its exposed ports")]
    public async Task A_plugin_that_is_not_well_in_an_enclave_that_is(string plugin, string reason, string says)
    {
        await using var hello = await Deployed.Apply(change: yaml => yaml.Replace($"image: {Image}", plugin, StringComparison.Ordinal));
        var message = await hello.Unhealthy(reason);
        message.ShouldContain("Plugin hello in the enclave of pod ");
        message.ShouldContain(says);
    }

    [Fact]
    public async Task A_plugin_that_is_mended_is_told_of_no_more()
    {
        await using var hello = await Deployed.Apply(change: yaml => yaml.Replace("hello:dev", "hello:no-such-tag", StringComparison.Ordinal));
        await hello.Unhealthy("PluginImagePull");
        await hello.Patch($$$"""{"spec":{"userPlugins":[{"name":"hello","image":"{{{Image}}}","ports":[{"containerPort":8080,"hostPort":80}]}]}}""");
        await hello.UntilReady();
    }

    [Fact]
    public async Task An_enclave_too_small_to_boot()
    {
        // Its kernel cannot unpack the image's ramdisk.
        await using var hello = await Deployed.Apply(change: yaml => yaml.Replace("memory: 1Gi", "memory: 64Mi", StringComparison.Ordinal));
        (await hello.Unhealthy("EnclaveBootFailed")).ShouldContain("does not boot: ");
    }

    // The development node has four devices and a few gibibytes of huge pages; what most of the pods wait for is told.
    [Theory]
    [InlineData("cpuCount: 2\n    memory: 64Mi", 9, "NoFreeDevice", "maxSurge", "It asks for 1 of aws.ec2.nitro/nitro_enclaves; free are 0 of 4 on enclave-node.", "Reconciling")]
    [InlineData("cpuCount: 2\n    memory: 256Gi\n    hugepageSize: 2Mi", 1, "NoNodeFits", "spec.enclave", "It asks for 256Gi of hugepages-2Mi; free are ", "Stalled")]
    public async Task A_node_without_room(string enclave, int replicas, string reason, string says, string numbers, string condition)
    {
        await using var hello = await Deployed.Apply(change: yaml => yaml
            .Replace("cpuCount: 2\n    memory: 1Gi", enclave, StringComparison.Ordinal)
            .Replace("spec:\n  enclave:", $"spec:\n  replicas: {replicas}\n  enclave:", StringComparison.Ordinal));
        var message = await hello.Unhealthy(reason);
        message.ShouldContain(says);
        message.ShouldContain(numbers);
        var told = (await hello.Ned())["status"]!["conditions"]!.AsArray().Single(item => (string?)item!["type"] == condition)!;
        ((string?)told["status"]).ShouldBe("True");
        ((string?)told["message"]).ShouldNotBeNull().ShouldContain(numbers);
    }

    [Fact]
    public async Task An_image_of_EnclaveHost_that_is_not_there()
    {
        await using var hello = await Deployed.Apply();
        var pod = await Eventually.Get<JsonNode>("a pod", TimeSpan.FromSeconds(60), async () => (await Kubectl.Get("pods", "-n", hello.Namespace))["items"]!.AsArray().FirstOrDefault());
        await Kubectl.Run("patch", "pod", (string)pod["metadata"]!["name"]!, "-n", hello.Namespace, "-p",
            """{"spec":{"containers":[{"name":"enclave-host","image":"10.210.0.2:5000/enclaves/no-such-image:1"}]}}""");
        (await hello.Unhealthy("HostImagePull")).ShouldContain("no-such-image:1");
    }

    [GeneratedRegex(@"^  (?<type>Normal|Warning)\s+(?<reason>\w+)\s", RegexOptions.Multiline)]
    private static partial Regex Event();
}
