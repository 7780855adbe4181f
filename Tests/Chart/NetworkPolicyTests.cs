using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class NetworkPolicyTests
{
    [Fact]
    public async Task There_are_none_by_default() => (await Helm.Template("required")).OfKind("NetworkPolicy").ShouldBeEmpty();

    [Fact]
    public async Task Each_takes_the_pods_of_its_part_and_no_others()
    {
        var rendered = await Helm.Template("everything");
        var pods = rendered.OfKind("Deployment").ToDictionary(item => item.Name, item => LabelSelector.Labels(item.Pod!));
        var policies = rendered.OfKind("NetworkPolicy").ToList();
        policies.Select(item => item.Name).ShouldBe(pods.Keys);
        foreach (var policy in policies)
        {
            pods.Where(pod => LabelSelector.Matches(policy.Json["spec"]!["podSelector"], pod.Value)).Select(pod => pod.Key).ShouldBe([policy.Name]);
            // Without a word about a direction the policy would not govern it.
            policy.Json["spec"]!["policyTypes"]!.AsArray().Select(type => (string?)type).ShouldBe(["Ingress", "Egress"]);
        }
    }

    [Theory]
    [InlineData("webhook", "https http")]
    [InlineData("reconciler", "http")]
    public async Task In_come_connections_to_the_parts_ports_only(string part, string ports)
    {
        var rendered = await Helm.Template("everything");
        var rule = rendered.Get("NetworkPolicy", $"{Helm.Release}-{part}").Json["spec"]!["ingress"]!.AsArray().ShouldHaveSingleItem()!;
        rule["from"].ShouldBeNull();
        Names(rule["ports"]!, "port").ShouldBe(ports.Split(' '));
        var container = rendered.Get("Deployment", $"{Helm.Release}-{part}").Pod!["spec"]!["containers"]![0]!;
        Names(container["ports"]!, "name").ShouldBe(ports.Split(' '));
    }

    [Fact]
    public async Task Nothing_goes_out_of_the_webhook() =>
        (await Egress("webhook")).ShouldBeEmpty();

    [Fact]
    public async Task The_reconciler_reaches_the_api_server_and_every_enclave_pod_wherever_they_are() =>
        (await Egress("reconciler")).ShouldHaveSingleItem()!.AsObject().ShouldBeEmpty();

    private static async Task<JsonArray> Egress(string part) =>
        (await Helm.Template("everything")).Get("NetworkPolicy", $"{Helm.Release}-{part}").Json["spec"]!["egress"]!.AsArray();

    private static IEnumerable<string> Names(JsonNode list, string field) => list.AsArray().Select(item => (string)item![field]!);
}
