using System.Text.Json.Nodes;
using Enclaves.Tests.Chart.Argo;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// What Argo CD shows, by docs/argocd/health.lua, of each status that the Reconciler really writes: what the table in docs/argocd.md says.
/// </summary>
public sealed class ArgoHealthTests(ClusterFixture cluster)
{
    private const string PodIsReady = """{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}""";
    private const string AnotherImage = """{"spec":{"userPlugins":[{"name":"web","image":"registry.example/web:2"}]}}""";

    [Fact]
    public async Task In_the_life_of_a_ned_it_is_healthy_only_while_its_enclaves_run_the_current_spec()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var history = await NedHistory.Start(cluster, space);
        await space.Create(Neds.Valid());
        await Shows(space, "Progressing", "The Reconciler has not looked at it yet.");
        await using (var first = await ReconcilerProcess.Start(space.Name))
        {
            await Shows(space, "Progressing", "1 of 1 enclaves run the current spec, 0 are available", first);
            await NewPodIsReady(space);
            await Shows(space, "Healthy", "All 1 enclaves run generation 1 and are ready.", first);
            await space.Patch(Neds.Name, """{"spec":{"paused":true}}""");
            await Shows(space, "Suspended", "Rollouts are paused: set spec.paused to false to let them go on.", first);
            await space.Patch(Neds.Name, """{"spec":{"paused":false}}""");
            await Shows(space, "Healthy", "All 1 enclaves run generation 3 and are ready.", first);
        }

        await space.Patch(Neds.Name, AnotherImage);
        await Shows(space, "Progressing", "The Reconciler has not looked at the current spec yet.");
        await using var second = await ReconcilerProcess.Start(space.Name);
        await Shows(space, "Progressing", "1 of 1 enclaves run the current spec, 1 are available, 2 exist", second);
        await NewPodIsReady(space);
        await Shows(space, "Healthy", "All 1 enclaves run generation 4 and are ready.", second);

        // Under the old name, while what the old one left is still there.
        await space.Delete(Neds.Name);
        var again = await space.Create(Neds.Valid());
        await Wait.Until("the Deployment is the new one's",
            async () => (await space.Deployment())?.Metadata.IsControlledBy(again) == true, explain: () => second.Log);
        await Shows(space, "Progressing", "1 of 1 enclaves run the current spec, 0 are available", second);
        await NewPodIsReady(space);
        await Shows(space, "Healthy", "All 1 enclaves run generation 1 and are ready.", second);
        await WasShown(space, history,
            ["Progressing", "Healthy", "Progressing", "Suspended", "Progressing", "Healthy", "Progressing", "Healthy", "Progressing", "Healthy"], second);
    }

    [Fact]
    public async Task A_rollout_that_does_not_get_on_is_degraded_until_it_does()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var history = await NedHistory.Start(cluster, space);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var ned = Neds.Valid();
        ned["spec"]!["progressDeadlineSeconds"] = 1;
        await space.Create(ned);
        await Shows(space, "Degraded", "The rollout has made no progress in time: ", reconciler);
        await NewPodIsReady(space);
        await Shows(space, "Healthy", "All 1 enclaves run generation 1 and are ready.", reconciler);
        await WasShown(space, history, ["Progressing", "Degraded", "Healthy"], reconciler);
    }

    [Fact]
    public async Task A_spec_that_cannot_be_run_is_degraded_until_it_is_mended()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var history = await NedHistory.Start(cluster, space);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var ned = Neds.Valid();
        // What the Webhook would have refused.
        ned["spec"]!["strategy"] = new JsonObject { ["rollingUpdate"] = new JsonObject { ["maxSurge"] = 0, ["maxUnavailable"] = 0 } };
        await space.Create(ned);
        await Shows(space, "Degraded", "The spec is refused: ", reconciler);
        await space.Patch(Neds.Name, """{"spec":{"strategy":null}}""");
        await Shows(space, "Progressing", "1 of 1 enclaves run the current spec, 0 are available", reconciler);
        await NewPodIsReady(space);
        await Shows(space, "Healthy", "All 1 enclaves run generation 2 and are ready.", reconciler);
        await WasShown(space, history, ["Progressing", "Degraded", "Progressing", "Healthy"], reconciler);
    }

    [Fact]
    public async Task A_failure_that_mends_itself_is_progressing_with_the_failure_as_its_message()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var history = await NedHistory.Start(cluster, space);
        var broken = true;
        await using var reconciler = await ReconcilerProcess.Start(space.Name, proxy => proxy.Answer = what =>
            Volatile.Read(ref broken) && what.EndsWith("/deployments/hello", StringComparison.Ordinal) ? 500 : null);
        await space.Create(Neds.Valid());
        await Wait.Until("the message tells of the failure", async () =>
            await LuaHealth.Of(await space.Ned()) is { Status: "Progressing" } health
            && health.Message.Contains("it is tried again by itself", StringComparison.Ordinal), explain: () => reconciler.Log);
        Volatile.Write(ref broken, false);
        await NewPodIsReady(space);
        await Shows(space, "Healthy", "All 1 enclaves run generation 1 and are ready.", reconciler);
        await WasShown(space, history, ["Progressing", "Healthy"], reconciler);
    }

    // What a kubelet would say once the enclave of the newest template is ready.
    private static async Task NewPodIsReady(TestNamespace space)
    {
        var pod = await Wait.For("a pod that is not ready", async () =>
            (await space.Pods()).SingleOrDefault(pod => pod.Metadata.DeletionTimestamp is null && pod.Status.Conditions?.Any(IsReady) != true));
        await space.PatchPodStatus(pod.Name(), PodIsReady);
    }

    private static bool IsReady(V1PodCondition condition) => condition is { Type: "Ready", Status: "True" };

    private static async Task Shows(TestNamespace space, string status, string message, ReconcilerProcess? reconciler = null)
    {
        Health last = default;
        await Wait.Until($"Argo CD shows {status}: {message}…", async () =>
        {
            last = await LuaHealth.Of(await space.Ned());
            return last.Status == status && last.Message.StartsWith(message, StringComparison.Ordinal);
        }, explain: () => $"last: {last}\n{reconciler?.Log}");
    }

    private static async Task WasShown(TestNamespace space, NedHistory history, string[] expected, ReconcilerProcess reconciler)
    {
        await history.Reaches(await space.Ned());
        var shown = new List<Health>();
        foreach (var version in history.Versions)
            shown.Add(await LuaHealth.Of(version));
        var changes = shown.Select(health => health.Status).Where((status, i) => i == 0 || status != shown[i - 1].Status);
        changes.ShouldBe(expected, customMessage: $"{string.Join('\n', shown)}\n{reconciler.Log}");
    }
}
