using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Enclaves.Api;
using Enclaves.Tests.EndToEnd;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// A NED under a HorizontalPodAutoscaler of the real controller, which asks the real aggregation layer for what it measures. What is measured,
/// and that the pods are ready, is what these tests say.
/// </summary>
public sealed partial class AutoscalingTests(ClusterFixture cluster)
{
    // The controller looks once a second, asks over two proxies, and each link of that chain may wait for its turn on a busy machine.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);
    private static readonly string Sample = Path.Combine(DevelopmentCluster.Repository, "samples/autoscaling.yaml");
    private static readonly string Document = File.ReadAllText(Path.Combine(DevelopmentCluster.Repository, "docs/autoscaling.md"));

    [Fact]
    public async Task By_the_CPU_of_its_pods_the_sample_goes_up_to_the_most_and_down_again_and_is_all_the_time_what_git_says()
    {
        const string name = "autoscaling";
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        await using var history = await NedHistory.Start(cluster, space);
        await using var metrics = await MetricsApi.Start(cluster, space, MetricsApi.Resource);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        string[] sample = ["-n", space.Name, "-f", Sample];
        await Kubectl.Run(["apply", .. sample]);

        metrics.CpuShare = 2;
        await Scaled(space, name, 4, reconciler);
        await Drift.IsNone(sample);
        await Kubectl.Run(["apply", .. sample]);

        metrics.CpuShare = 0.1;
        await Scaled(space, name, 1, reconciler);
        await Drift.IsNone(sample);

        // It was the autoscaler's doing alone: each generation is one of its rescales and differs from the one before in nothing but replicas.
        var generation = (long)(await space.Ned(name))["metadata"]!["generation"]!;
        await Wait.Until("an event of each rescale, and no other change", async () => await Rescales(space) == generation - 1, explain: () => $"{generation}");
        history.Versions.Select(ned => Without(ned["spec"]!, "replicas")).Distinct().Count().ShouldBe(1);
        reconciler.Proxy.Writes.ShouldNotContain(write => write.EndsWith($"/{NedNames.Plural}/{name}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Pods", MetricsApi.Custom, "enclave_relay_connections_open")]
    [InlineData("External", MetricsApi.External, "queue_messages_ready queue=orders")]
    public async Task By_another_metric_a_ned_is_scaled_as_the_documentation_says(string type, string group, string metric)
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var metrics = await MetricsApi.Start(cluster, space, group);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await Kubectl.Apply(await Documented(type), space.Name);
        metrics.Value = 1000;
        await Scaled(space, Neds.Name, 4, reconciler);
        metrics.Value = 1;
        await Scaled(space, Neds.Name, 1, reconciler);
        metrics.Asked.ShouldBe(metric);
    }

    // Every pod that there is becomes ready: what a kubelet would say of one that has been up for a while.
    private async Task Scaled(TestNamespace space, string name, int replicas, ReconcilerProcess reconciler)
    {
        V1HorizontalPodAutoscaler? autoscaler = null;
        await Wait.Until($"{replicas} enclaves are wanted and ready", async () =>
        {
            foreach (var pod in await space.Pods(name))
            {
                if (pod.Metadata.DeletionTimestamp is null && pod.Status.Phase == "Pending")
                    await space.PatchPodStatus(pod.Name(), Running(DateTime.UtcNow.AddHours(-1)));
            }

            autoscaler = await cluster.Client.AutoscalingV1.ReadNamespacedHorizontalPodAutoscalerAsync(name, space.Name);
            var ned = await space.Ned(name);
            return (int)ned["spec"]!["replicas"]! == replicas
                && (string?)ned["status"]?["ready"] == $"{replicas}/{replicas}"
                && (await space.Deployment(name))!.Spec.Replicas == replicas
                && autoscaler.Status?.CurrentReplicas == replicas;
        }, Limit, () => $"{KubernetesJson.Serialize(autoscaler)}\n{reconciler.Log}");
    }

    private static string Running(DateTime since) => $$$"""
        {"status":{"phase":"Running","startTime":"{{{since:s}}}Z","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"{{{since:s}}}Z"}]}}
        """;

    private async Task<int> Rescales(TestNamespace space) =>
        (await cluster.Client.CoreV1.ListNamespacedEventAsync(space.Name)).Items.Where(item => item.Reason == "SuccessfulRescale").Sum(item => item.Count ?? 1);

    private static string Without(JsonNode spec, string field)
    {
        var rest = spec.DeepClone().AsObject();
        rest.Remove(field);
        return rest.ToJsonString();
    }

    // In the version that this API server has.
    private static async Task<string> Documented(string type)
    {
        var yaml = YamlBlock().Matches(Document).Select(match => match.Groups[1].Value)
            .Single(block => block.Contains($"- type: {type}\n", StringComparison.Ordinal));
        var versions = (await Kubectl.Run("api-versions")).Split('\n');
        return versions.Contains("autoscaling/v2") ? yaml : yaml.Replace("autoscaling/v2\n", "autoscaling/v2beta2\n", StringComparison.Ordinal);
    }

    [GeneratedRegex("^```yaml\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex YamlBlock();
}
