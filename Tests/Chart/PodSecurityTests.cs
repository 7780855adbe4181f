using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class PodSecurityTests
{
    private const string Installer = $"{Helm.Release}-seccomp-installer";

    public static TheoryData<string> ValueSets => new(Helm.ValueSets);

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Every_pod_of_the_platform_keeps_to_the_standard_restricted(string values)
    {
        var pods = (await Helm.Template(values)).Objects.Where(item => item.Pod is not null && item.Name != Installer).ToList();
        pods.Select(item => item.Name).ShouldBe([$"{Helm.Release}-reconciler", $"{Helm.Release}-webhook"]);
        pods.SelectMany(item => PodSecurity.Violations(item.Pod!).Select(what => $"{item.Name}: {what}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_writes_to_nodes_is_only_there_when_it_is_asked_for_and_goes_beyond_the_standard_in_nothing_else()
    {
        (await Helm.Template("required")).Objects.ShouldNotContain(item => item.Name == Installer);
        var installer = (await Helm.Template("everything")).Objects.Single(item => item.Name == Installer);
        PodSecurity.Violations(installer.Pod!).ShouldBe(["volume hostPath", "installer: runAsNonRoot", "installer: runAsUser"]);
    }

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task No_container_of_the_platform_can_write_to_its_root(string values) =>
        (await Helm.Template(values)).Objects.Select(item => item.Pod).OfType<JsonNode>().SelectMany(pod => pod["spec"]!["containers"]!.AsArray())
            .ShouldAllBe(container => (bool?)container!["securityContext"]!["readOnlyRootFilesystem"] == true);

    [Theory]
    [InlineData("hostNetwork", """{"hostNetwork": true}""")]
    [InlineData("volume hostPath", """{"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}""")]
    [InlineData("main: runAsNonRoot", """{"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}""")]
    [InlineData("main: runAsUser", """{"securityContext": {"runAsNonRoot": true, "runAsUser": 0, "seccompProfile": {"type": "RuntimeDefault"}}}""")]
    [InlineData("main: seccompProfile", """{"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "Unconfined"}}}""")]
    [InlineData("main: privileged", """{"containers": [{"name": "main", "securityContext": {"privileged": true, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}""")]
    [InlineData("main: allowPrivilegeEscalation", """{"containers": [{"name": "main", "securityContext": {"capabilities": {"drop": ["ALL"]}}}]}""")]
    [InlineData("main: capabilities.drop", """{"containers": [{"name": "main", "securityContext": {"allowPrivilegeEscalation": false}}]}""")]
    [InlineData("main: capabilities.add", """{"containers": [{"name": "main", "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}}]}""")]
    [InlineData("main: hostPort", """{"containers": [{"name": "main", "ports": [{"hostPort": 80}], "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}""")]
    [InlineData("first: allowPrivilegeEscalation", """{"initContainers": [{"name": "first", "securityContext": {"capabilities": {"drop": ["ALL"]}}}]}""")]
    public void A_pod_that_goes_beyond_the_standard_is_found(string violation, string change)
    {
        var pod = JsonNode.Parse("""
            {"spec": {
              "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
              "containers": [{"name": "main", "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}}
            """)!;
        PodSecurity.Violations(pod).ShouldBeEmpty();
        foreach (var (field, value) in JsonNode.Parse(change)!.AsObject())
            pod["spec"]![field] = value!.DeepClone();
        PodSecurity.Violations(pod).ShouldBe([violation]);
    }
}
