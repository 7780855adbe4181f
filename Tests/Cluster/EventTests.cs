using System.Text.Json.Nodes;
using Enclaves.Tests.EndToEnd;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What "kubectl describe ned" tells, and that nothing is told twice.</summary>
public sealed class EventTests(ClusterFixture cluster)
{
    private const int Flaps = 5;

    [Fact]
    public async Task A_condition_that_flaps_is_told_by_one_Event_that_counts_and_the_story_is_in_order()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        var pod = (await Wait.For("a pod", async () => (await space.Pods()).FirstOrDefault())).Name();
        for (var i = 0; i < Flaps; i++)
        {
            await Become(true);
            await Become(false);
        }

        await Wait.Until($"one Event says {Flaps} times that the enclaves were ready", async () =>
            (await Events("EnclavesReady")).Select(told => told.Series?.Count).SequenceEqual([Flaps]), explain: () => reconciler.Log);
        // Older readers look at the count of core/v1.
        (await Events("EnclavesReady")).Single().DeprecatedCount.ShouldBe(Flaps);

        var described = (await Kubectl.Run("describe", "ned", Neds.Name, "-n", space.Name)).Split('\n');
        var story = described.SkipWhile(line => !line.StartsWith("Events:", StringComparison.Ordinal)).ToList();
        int Line(string reason) => story.FindIndex(line => line.Contains($" {reason} ", StringComparison.Ordinal));
        story.Count(line => line.Contains(" EnclavesReady ", StringComparison.Ordinal)).ShouldBe(1, string.Join('\n', story));
        story[Line("EnclavesReady")].ShouldContain($"(x{Flaps} over ");
        new[] { Line("ManifestCreated"), Line("DeploymentAccepted"), Line("EnclavesReady") }.ShouldBeInOrder(SortDirection.Ascending, string.Join('\n', story));

        async Task Become(bool isReady)
        {
            await space.PatchPodStatus(pod, $$$"""{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"{{{isReady}}}"}]}}""");
            await Wait.Until($"the pod's readiness is {isReady}",
                async () => (string?)(await space.Ned())["status"]!["ready"] == (isReady ? "1/1" : "0/1"), explain: () => reconciler.Log);
        }

        async Task<List<Eventsv1Event>> Events(string reason) =>
            [.. (await cluster.Client.EventsV1.ListNamespacedEventAsync(space.Name)).Items.Where(told => told.Reason == reason && told.Regarding.Name == Neds.Name)];
    }

    [Fact]
    public async Task Events_wait_while_they_cannot_be_written_and_hold_up_nothing()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var broken = true;
        reconciler.Proxy.Answer = what => Volatile.Read(ref broken) && what.Contains("/events/", StringComparison.Ordinal) ? 503 : null;
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        (await space.EventReasons()).ShouldBeEmpty();
        Volatile.Write(ref broken, false);
        await space.Told(["ManifestCreated", "DeploymentAccepted"]);
    }

    [Fact]
    public async Task What_has_happened_is_told_before_the_process_ends()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        reconciler.Signal("TERM");
        await reconciler.Ended();
        // Nobody is left who could write them later.
        (await space.EventReasons()).ShouldBe(["ManifestCreated", "DeploymentAccepted"], reconciler.Log);
    }
}
