using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
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

    // As EnclaveHost writes its termination message, and as a kernel ends what is too large.
    [Theory]
    [InlineData("BootFailed: the enclave ended 5 times in a row, lastly: nitro-cli: [ E27 ] insufficient memory", "EnclaveBootFailed", "fewer|ask for less in spec.enclave.memory")]
    [InlineData("BootFailed: the enclave ended 5 times in a row, lastly: [ E22 ] Insufficient CPUs; [ E39 ] Enclave process connection failure", "EnclaveBootFailed", "spec.enclave.cpuCount")]
    [InlineData("BootFailed: the enclave ended 5 times in a row, lastly: the Orchestrator did not answer within 60 s", "EnclaveBootFailed", "kubectl -n default logs a")]
    [InlineData("TooManyBoots: the enclave ended 5 times in a row, lastly: qemu exited", "EnclaveCrashLooping", "kubectl -n default logs a --previous")]
    [InlineData("CannotListen: address in use", "EnclaveHostCrashLooping", "exit code 7 (Error) CannotListen: address in use; ")]
    [InlineData("manifest: too short\nand wrong", "EnclaveHostCrashLooping", "manifest: too short and wrong; ")]
    [InlineData("", "EnclaveHostCrashLooping", "exit code 7 (Error); ")]
    public void A_container_that_ends_again_and_again_is_told_of_by_its_last_words(string message, string reason, string next)
    {
        var end = new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = 7, ["reason"] = "Error", ["message"] = message } };
        var trouble = PodTrouble.Of([Host("a", 4, """{"waiting":{"reason":"CrashLoopBackOff"}}""", end.ToJsonString())]).ShouldNotBeNull();
        trouble.Reason.ShouldBe(reason);
        trouble.Message.ShouldContain("4 times");
        trouble.Message.ShouldContain(next.Split('|')[^1]);
    }

    [Fact]
    public void A_next_step_that_EnclaveHost_has_told_is_not_told_again() =>
        EnclaveDeaths.BootFailed(new ObjectKey("default", "a"), "nitro-cli run-enclave failed with E27 (too few huge pages): none; to mend it: reserve more").Message
            .ShouldEndWith("; to mend it: reserve more.");

    [Fact]
    public void What_was_found_out_counts_where_the_status_does_not_tell_and_before_what_is_past()
    {
        var found = new PodTrouble("PluginImagePull", "x");
        PodTrouble.Of([Host("a", 3, """{"running":{}}""", """{"terminated":{"exitCode":1}}""")], _ => found).ShouldBe(found);
        PodTrouble.Of([Host("a", 0, """{"waiting":{"reason":"ErrImagePull"}}""")], _ => found).ShouldNotBeNull().Reason.ShouldBe("HostImagePull");
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
