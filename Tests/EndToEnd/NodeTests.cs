using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>An enclave whose node is emptied or lost comes up on another one. The second node exists for these tests only.</summary>
public sealed class NodeTests : IAsyncLifetime
{
    private const string First = "enclave-node";
    private const string Second = "enclave-node-2";

    // Until a node that says nothing is NotReady (--node-monitor-grace-period, 40 s by default), with room for a busy machine.
    private static readonly TimeSpan NoticeLimit = TimeSpan.FromSeconds(120);

    // Instead of the five minutes that a pod is given by default.
    private const string LeaveSoon = """
          template:
            tolerations:
            - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 5 }
            - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5 }
        """;

    public async ValueTask InitializeAsync()
    {
        await Node("up");
        await Kubectl.Run("cordon", First);
    }

    public async ValueTask DisposeAsync()
    {
        await Kubectl.Run("uncordon", First);
        await Node("down");
    }

    [Fact]
    public async Task A_node_that_is_drained_gives_its_enclave_to_another()
    {
        await using var hello = await Deployed.Apply();
        await IsReadyOn(hello, Second);
        await Kubectl.Run("uncordon", First);
        await Kubectl.Run("drain", Second, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s");
        await IsReadyOn(hello, First);
        (await hello.Answer()).ShouldContain("hello from inside the enclave");
    }

    [Fact]
    public async Task A_node_that_is_lost_is_told_of_and_its_enclave_comes_up_on_another()
    {
        await using var hello = await Deployed.Apply(change: yaml => yaml + LeaveSoon);
        await IsReadyOn(hello, Second);
        await Kubectl.Run("uncordon", First);
        await Node("kill");
        await Eventually.Holds("READY 0/1", NoticeLimit, async () => (string?)(await hello.Ned())["status"]!["ready"] == "0/1", hello.Explain);
        await IsReadyOn(hello, First);
        (await hello.Answer()).ShouldContain("hello from inside the enclave");
        // It never learns of its pod's deletion; when the node is given up, what it had goes.
        await Node("down");
        await Eventually.Holds("the lost pod is gone", NoticeLimit,
            async () => (await Kubectl.Get("pods", "-n", hello.Namespace))["items"]!.AsArray().Count == 1, hello.Explain);
    }

    private static async Task IsReadyOn(Deployed hello, string node) => await Eventually.Holds($"READY 1/1 on {node}", Deployed.ReadyLimit + NoticeLimit, async () =>
        (string?)(await hello.Ned())["status"]?["ready"] == "1/1" && (string?)(await hello.Pod())["spec"]!["nodeName"] == node, hello.Explain);

    private static async Task Node(string what)
    {
        var result = await Tool.Run(Path.Combine(Deployed.Repository, "dev", "cluster"), null, "node", what);
        result.ExitCode.ShouldBe(0, result.Error);
    }
}
