using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>What clients of a Service with two enclaves notice when one of them hangs, and when both are replaced.</summary>
public sealed class TrafficTests
{
    // Failure threshold x interval + 3 s, and what a look at the endpoints takes.
    private static readonly TimeSpan OutWithin = TimeSpan.FromSeconds((3 * 1) + 3 + 1);

    // kube-proxy is told of the endpoints and then writes its rules, which it does once a second.
    private static readonly TimeSpan ProxyTime = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task No_request_goes_to_an_enclave_that_hangs_and_none_fails_through_a_rolling_update()
    {
        await using var hello = await Deployed.Apply(change: yaml => yaml.Replace("spec:\n  enclave:", "spec:\n  replicas: 2\n  enclave:", StringComparison.Ordinal));
        await hello.UntilReady("2/2");
        await Eventually.Holds("both endpoints", Soon, async () => await hello.EndpointCount() == 2, hello.Explain);
        var pods = await hello.Pods();
        var enclaves = await Task.WhenAll(pods.Select(async pod => (string)(await Deployed.Status(pod))["bootId"]!));
        await using var load = await ServiceLoad.Start(hello);
        await load.UntilAllAnswer(enclaves, Soon, hello.Explain);
        await OneHangs(hello, pods[0], enclaves[0], load);
        // Whatever hung, it answers again before the next part counts failures.
        await load.UntilAllAnswer(enclaves, Soon, hello.Explain);
        await AreReplaced(hello, pods, load);
    }

    private static async Task OneHangs(Deployed hello, JsonNode pod, string bootId, ServiceLoad load)
    {
        var machine = NodeProcesses.Of(Uid(pod), "qemu-system-x86_64").ShouldHaveSingleItem();
        NodeProcesses.Signal(machine, NodeProcesses.SigStop);
        try
        {
            await Eventually.Holds("one endpoint", OutWithin, async () => await hello.EndpointCount() == 1, hello.Explain);
            var gone = load.Now + ProxyTime;
            await Eventually.Holds("READY 1/2", Soon, async () => (string?)(await hello.Ned())["status"]!["ready"] == "1/2", hello.Explain);
            (await hello.Unhealthy("EnclaveNotAnswering")).ShouldContain("gets no traffic");
            await Eventually.Holds("some requests", Soon, () => Task.FromResult(load.Between(gone, load.Now).Count > 20));
            var requests = load.Between(gone, load.Now);
            ServiceLoad.Failures(requests).ShouldBeEmpty();
            requests.ShouldNotContain(request => request.CameFrom(bootId));
        }
        finally
        {
            NodeProcesses.Signal(machine, NodeProcesses.SigCont);
        }

        await Eventually.Holds("both endpoints again", Soon, async () => await hello.EndpointCount() == 2, hello.Explain);
    }

    private static async Task AreReplaced(Deployed hello, IReadOnlyList<JsonNode> before, ServiceLoad load)
    {
        var began = load.Now;
        await hello.Patch("""
            {"spec":{"userPlugins":[{"name":"hello","image":"10.210.0.2:5000/enclaves/hello:dev","ports":[{"containerPort":8080,"hostPort":80}],
              "env":[{"name":"GREETING","value":"good day"}]}]}}
            """);
        var old = before.Select(Uid).ToList();
        // Two boots, one after the other, beside two or three virtual machines that run; and the old ones are gone for good.
        await Eventually.Holds("two new pods and no old one", Deployed.ReadyLimit * 2,
            async () => (await hello.Pods()).Select(Uid).ToList() is { Count: 2 } now && !now.Intersect(old).Any(), hello.Explain);
        await hello.UntilReady("2/2");
        await load.UntilAllAnswer(["good day from inside the enclave"], Soon, hello.Explain);
        var requests = load.Between(began, load.Now);
        ServiceLoad.Failures(requests).ShouldBeEmpty();
        requests.Count.ShouldBeGreaterThan(100);
    }

    private static string Uid(JsonNode pod) => (string)pod["metadata"]!["uid"]!;
}
