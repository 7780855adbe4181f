using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Status;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class PodTroubleTests
{
    // As schedulers of 1.20 and of later versions put it.
    [Theory]
    [InlineData("no nodes available to schedule pods", "NoNodes")]
    [InlineData("0/3 nodes are available: 3 Insufficient aws.ec2.nitro/nitro_enclaves.", "NoFreeDevice")]
    [InlineData("0/2 nodes are available: 1 Insufficient hugepages-2Mi, 1 node(s) didn't match Pod's node affinity.", "NoHugepages")]
    [InlineData("0/2 nodes are available: 2 node(s) didn't match node selector.", "NoMatchingNode")]
    [InlineData("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.", "NoMatchingNode")]
    [InlineData("0/2 nodes are available: 2 Insufficient memory.", "NoRoom")]
    [InlineData("0/1 nodes are available: 1 node(s) had taint {a: b}, that the pod didn't tolerate.", "Unschedulable")]
    public void A_pod_that_has_no_node(string message, string reason)
    {
        var trouble = PodTrouble.Of([Pod("a", $$$"""{"conditions":[{"type":"PodScheduled","status":"False","message":"{{{message}}}"}]}""")]).ShouldNotBeNull();
        trouble.Reason.ShouldBe(reason);
        trouble.Message.ShouldContain(message.TrimEnd('.'));
        trouble.Message.ShouldContain("Pod default/a");
    }

    [Theory]
    [InlineData("ImagePullBackOff", "HostImagePull")]
    [InlineData("CreateContainerConfigError", "HostNotStarted")]
    public void A_container_that_waits(string word, string reason) =>
        PodTrouble.Of([Host("a", 0, $$$"""{"waiting":{"reason":"{{{word}}}","message":"secret \"x\" not found"}}""")]).ShouldNotBeNull().Reason.ShouldBe(reason);

    [Fact]
    public void A_container_that_ends_again_and_again_is_told_of_by_its_last_words()
    {
        var trouble = PodTrouble.Of([Host("a", 4, """{"waiting":{"reason":"CrashLoopBackOff"}}""",
            """{"terminated":{"exitCode":7,"reason":"Error","message":"E27: too few huge pages\nask for less"}}""")]).ShouldNotBeNull();
        trouble.Reason.ShouldBe("EnclaveEndsAgainAndAgain");
        trouble.Message.ShouldContain("ended 4 times");
        trouble.Message.ShouldContain("exit code 7");
        trouble.Message.ShouldContain("E27: too few huge pages ask for less");
    }

    [Fact]
    public void A_container_that_is_only_starting_is_no_trouble() =>
        PodTrouble.Of([Host("a", 0, """{"running":{}}"""), Host("b", 0, """{"waiting":{"reason":"ContainerCreating"}}""")]).ShouldBeNull();

    [Fact]
    public void A_pod_that_is_ready_or_on_its_way_out_is_no_trouble()
    {
        PodTrouble.Of([Pod("a", """{"conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"enclave-host","restartCount":9}]}""")]).ShouldBeNull();
        PodTrouble.Of([Pod("a", """{"conditions":[{"type":"PodScheduled","status":"False","message":"x"}]}""", deleted: true)]).ShouldBeNull();
    }

    [Fact]
    public void The_trouble_that_most_have_is_told_always_of_the_same_pod()
    {
        LiveObject Unscheduled(string name, string message) => Pod(name, $$$"""{"conditions":[{"type":"PodScheduled","status":"False","message":"{{{message}}}"}]}""");
        LiveObject[] pods = [Unscheduled("c", "0/1: 1 Insufficient x/y"), Unscheduled("b", "0/1: 1 Insufficient x/y"), Unscheduled("a", "0/1: 1 Insufficient cpu")];
        PodTrouble.Of(pods).ShouldNotBeNull().Message.ShouldContain("Pod default/b");
        PodTrouble.Of(pods.Reverse()).ShouldBe(PodTrouble.Of(pods));
    }

    [Fact]
    public void Long_words_are_cut() =>
        PodTrouble.Of([Pod("a", $$$"""{"conditions":[{"type":"PodScheduled","status":"False","message":"{{{new string('x', 5000)}}}"}]}""")])
            .ShouldNotBeNull().Message.Length.ShouldBeLessThan(1000);

    private static LiveObject Host(string name, int restarts, string state, string lastState = "{}") => Pod(name, $$$"""
        {"containerStatuses":[{"name":"sidecar","restartCount":99},{"name":"enclave-host","restartCount":{{{restarts}}},"state":{{{state}}},"lastState":{{{lastState}}}}]}
        """);

    private static LiveObject Pod(string name, string status, bool deleted = false)
    {
        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default" },
            ["status"] = JsonNode.Parse(status),
        };
        if (deleted)
            pod["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";
        using var document = JsonDocument.Parse(pod.ToJsonString());
        return LiveObject.From(document.RootElement.Clone())!;
    }
}
