using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class AvailabilityTests
{
    private const string Webhook = $"{Helm.Release}-webhook";

    // Argo CD renders with the server's version and its API versions; helm adds the latter to all that it was built with, so
    // that the chart must not go by them.
    [Theory]
    [InlineData("1.20.2", "policy/v1beta1", "policy/v1beta1")]
    [InlineData("1.21.0", "policy/v1", "policy/v1")]
    [InlineData("1.24.17-eks-1", "policy/v1beta1", "policy/v1")]
    [InlineData("1.36.2", "policy/v1", "policy/v1")]
    public async Task The_disruption_budget_has_the_version_that_the_server_knows(string server, string served, string expected)
    {
        var rendered = await Helm.Template("required", "--kube-version", server, "--api-versions", served);
        ((string?)rendered.Get("PodDisruptionBudget", Webhook).Json["apiVersion"]).ShouldBe(expected);
    }

    [Fact]
    public async Task A_server_older_than_the_oldest_supported_one_is_refused()
    {
        var result = await Helm.TryTemplate("required", "--kube-version", "1.19.16");
        result.ExitCode.ShouldNotBe(0);
        result.Error.ShouldContain("kubeVersion");
    }

    [Fact]
    public async Task The_webhook_survives_a_node_by_default()
    {
        var rendered = await Helm.Template("required");
        var webhook = rendered.Get("Deployment", Webhook).Json["spec"]!;
        ((long?)webhook["replicas"]).ShouldBe(2);
        ((long?)webhook["strategy"]!["rollingUpdate"]!["maxUnavailable"]).ShouldBe(0);
        var budget = rendered.Get("PodDisruptionBudget", Webhook).Json["spec"]!;
        ((long?)budget["maxUnavailable"]).ShouldBe(1);
        var labels = LabelSelector.Labels(webhook["template"]!);
        LabelSelector.Matches(budget["selector"], labels).ShouldBeTrue();
        var apart = webhook["template"]!["spec"]!["affinity"]!["podAntiAffinity"]!["preferredDuringSchedulingIgnoredDuringExecution"]![0]!["podAffinityTerm"]!;
        ((string?)apart["topologyKey"]).ShouldBe("kubernetes.io/hostname");
        LabelSelector.Matches(apart["labelSelector"], labels).ShouldBeTrue();
    }

    [Fact]
    public async Task The_disruption_budget_can_be_left_out() =>
        (await Helm.Template("without-options")).OfKind("PodDisruptionBudget").ShouldBeEmpty();
}
