using System.Text.Json.Nodes;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What keeps enclaves from being ready is told by the NED's own status and events.</summary>
public sealed class TroubleTests(ClusterFixture cluster)
{
    [Fact]
    public async Task A_pod_that_finds_no_node_is_told_of_with_the_next_step()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        var condition = await Wait.For("a condition about nodes", async () =>
            await space.Reconciled() is var ned && Neds.WithoutNode.Contains((string?)ned.Condition("EnclavesHealthy")["reason"]) ? ned.Condition("EnclavesHealthy") : null,
            explain: () => reconciler.Log);
        ((string)condition["message"]!).ShouldStartWith("0 of 1 enclaves are ready. Pod ");
        ((string)condition["message"]!).ShouldContain("cannot be scheduled: ");
    }

    [Fact]
    public async Task An_enclave_that_ends_again_and_again_is_told_of_by_its_last_words_until_it_is_ready()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        var pod = await Wait.For("a pod", async () => (await space.Pods()).FirstOrDefault());
        // As a kubelet reports it. Again and again: the scheduler, which has found no node for it, may say so once more.
        async Task<JsonNode> ConditionAfter(string status)
        {
            await space.PatchPodStatus(pod.Name(), status);
            return (await space.Ned()).Condition("EnclavesHealthy");
        }

        await Wait.Until("the condition tells of it", async () =>
            (string)(await ConditionAfter("""
                {"status":{"conditions":[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"False"}],"containerStatuses":[{"name":"enclave-host",
                "image":"x","imageID":"x","ready":false,"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off"}},
                "lastState":{"terminated":{"exitCode":1,"reason":"Error","message":"BootFailed: the enclave ended 5 times in a row, lastly: [ E27 ] insufficient memory"}}}]}}
                """))["message"]! is var message && message.Contains("has given up 3 times", StringComparison.Ordinal)
            && message.Contains("the node has too few free huge pages", StringComparison.Ordinal), explain: () => reconciler.Log);
        await Wait.Until("it is forgotten", async () =>
            (string?)(await ConditionAfter("""
                {"status":{"conditions":[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"enclave-host",
                "image":"x","imageID":"x","ready":true,"restartCount":3,"state":{"running":{}}}]}}
                """))["reason"] == "EnclavesReady", explain: () => reconciler.Log);
    }
}
