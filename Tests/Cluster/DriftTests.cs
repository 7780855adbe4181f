using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Tests.EndToEnd;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// The samples as something that follows Git keeps them, with the real admission and a Reconciler at work: nothing that either writes is a
/// difference to Git, whichever way it is applied and whichever way the two are compared.
/// </summary>
public sealed class DriftTests(ClusterFixture cluster)
{
    private static readonly string Samples = Path.Combine(DevelopmentCluster.Repository, "samples");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_admission_and_Reconciler_write_is_no_difference_to_git_and_a_further_apply_changes_nothing(bool isServerSide)
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        string[] where = ["-n", space.Name, "-f", Samples];
        var (first, second) = isServerSide ? (Drift.ServerSide, Drift.ClientSide) : (Drift.ClientSide, Drift.ServerSide);
        await Kubectl.Run(["apply", .. where, .. first]);
        await AllAreReconciled(space, where, reconciler);
        await Drift.IsNone(where);

        var before = await Versions(where, "resourceVersion");
        await Kubectl.Run(["apply", .. where, .. first]);
        (await Versions(where, "resourceVersion")).ShouldBe(before);

        // Another way to apply leaves notes of its own in the metadata, once; the spec is what it was.
        var generations = await Versions(where, "generation");
        await Kubectl.Run(["apply", .. where, .. second]);
        (await Versions(where, "generation")).ShouldBe(generations);
        await AllAreReconciled(space, where, reconciler);
        before = await Versions(where, "resourceVersion");
        await Kubectl.Run(["apply", .. where, .. second]);
        (await Versions(where, "resourceVersion")).ShouldBe(before);
        await Drift.IsNone(where);
    }

    // No node takes the pods of these tests: that this is told is the last that the Reconciler writes.
    private static async Task AllAreReconciled(TestNamespace space, string[] where, ReconcilerProcess reconciler)
    {
        foreach (var ned in (await All(where)).Where(item => (string?)item["kind"] == NedNames.Kind))
        {
            var name = (string)ned["metadata"]!["name"]!;
            await space.Reconciled(ned: name, explain: () => reconciler.Log);
            await Wait.Until($"the pods of {name} find no node", async () =>
            {
                var reason = (string)(await space.Ned(name)).Condition("EnclavesHealthy")["reason"]!;
                return Neds.WithoutNode.Contains(reason) && await space.IsRolledOut(name);
            }, explain: () => reconciler.Log);
        }
    }

    // Of an autoscaler, its controller writes the status whenever it likes.
    private static async Task<IReadOnlyList<string>> Versions(string[] where, string field) =>
        [.. (await All(where)).Where(item => (string?)item["kind"] != "HorizontalPodAutoscaler")
            .Select(item => $"{item["kind"]} {item["metadata"]!["name"]} {item["metadata"]![field]}")];

    private static async Task<IEnumerable<JsonNode>> All(string[] where) => (await Kubectl.Get(where))["items"]!.AsArray().OfType<JsonNode>();
}
