using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>From kubectl apply to bytes served out of a container in an enclave, and what happens when parts of it die.</summary>
public sealed class HelloTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private Deployed hello = null!;

    public async ValueTask InitializeAsync()
    {
        hello = await Deployed.Apply();
        try
        {
            await hello.UntilReady();
        }
        catch
        {
            await hello.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await hello.DisposeAsync();

    [Fact]
    public async Task A_ned_becomes_children_a_pod_without_privileges_and_an_answer_from_another_kernel()
    {
        await ChildrenAreOwnedByTheNed();
        PodIsUnprivileged(await hello.Pod());
        await AnswerComesFromTheEnclave();
        await StatusTellsTheTruth();
    }

    [Fact]
    public async Task A_container_that_dies_in_the_enclave_comes_back_and_is_counted()
    {
        Restarts(await hello.Status()).ShouldBe(0);
        await hello.Answer();
        try
        {
            await hello.Ask("/exit");
        }
        catch (HttpRequestException)
        {
            // Its own end may be quicker than its answer; whether it was asked, the restart tells.
        }

        await Eventually.Holds("one restart counted in /status", TimeSpan.FromSeconds(60),
            async () => Restarts(await hello.Status()) == 1, hello.Explain);
        (await hello.Answer()).ShouldContain("hello from inside the enclave");
        (await hello.Pod())["status"]!["containerStatuses"]![0]!["restartCount"]!.GetValue<int>().ShouldBe(0);
    }

    [Fact]
    public async Task Killing_the_enclave_host_takes_the_virtual_machine_with_it_and_the_kubelet_starts_both_again()
    {
        var uid = await Uid();
        var machine = Machine(uid);
        var device = NodeProcesses.Of(uid, "vhost-device-vsock").ShouldHaveSingleItem();
        var host = NodeProcesses.Of(uid, "enclave-host").ShouldHaveSingleItem();
        NodeProcesses.Signal(host, NodeProcesses.SigKill);
        await Eventually.Holds("the virtual machine and its vsock device are gone", Soon,
            () => Task.FromResult(!NodeProcesses.Of(uid, "qemu-system-x86_64").Contains(machine)
                && !NodeProcesses.Of(uid, "vhost-device-vsock").Contains(device)));
        await Eventually.Holds("the kubelet has restarted the container", Soon,
            async () => (await hello.Pod())["status"]!["containerStatuses"]![0]!["restartCount"]!.GetValue<int>() == 1, hello.Explain);
        // It boots for some seconds, in which the status tells why it must.
        (await hello.Unhealthy("EnclaveHostCrashLooping")).ShouldContain("137");
        await hello.Answer(Deployed.ReadyLimit);
        Machine(uid).ShouldNotBe(machine);
    }

    [Fact]
    public async Task Killing_the_virtual_machine_is_told_of_until_another_runs()
    {
        NodeProcesses.Signal(Machine(await Uid()), NodeProcesses.SigKill);
        (await hello.Unhealthy("EnclaveCrashLooping")).ShouldContain("qemu-system-x86_64");
        await hello.UntilReady();
        (await hello.Pod())["status"]!["containerStatuses"]![0]!["restartCount"]!.GetValue<int>().ShouldBe(0);
    }

    [Fact]
    public async Task Deleting_the_ned_leaves_nothing()
    {
        var uid = await Uid();
        await Kubectl.Run("delete", "ned", hello.Name, "-n", hello.Namespace, "--timeout=50s");
        await Eventually.Holds("children and pod are gone", TimeSpan.FromSeconds(90), async () =>
        {
            var left = await Kubectl.Get("deployments,replicasets,pods,services,configmaps", "-n", hello.Namespace);
            return left["items"]!.AsArray().All(item => (string?)item!["metadata"]!["name"] == "kube-root-ca.crt");
        }, hello.Explain);
        NodeProcesses.Of(uid, "qemu-system-x86_64").ShouldBeEmpty();
        NodeProcesses.Of(uid, "vhost-device-vsock").ShouldBeEmpty();
    }

    private static int Restarts(JsonNode status) =>
        status["containers"]!.AsArray().Single(container => (string?)container!["name"] == "hello")!["restarts"]!.GetValue<int>();

    private static void PodIsUnprivileged(JsonNode pod)
    {
        pod["spec"]!["automountServiceAccountToken"]!.GetValue<bool>().ShouldBeFalse();
        pod["metadata"]!["annotations"]!["k8s.oblv.com/injected"].ShouldNotBeNull();
        var container = pod["spec"]!["containers"]!.AsArray().ShouldHaveSingleItem()!;
        container["resources"]!["limits"]!["aws.ec2.nitro/nitro_enclaves"]!.GetValue<string>().ShouldBe("1");
        container["resources"]!["limits"]!["hugepages-2Mi"].ShouldNotBeNull();
        var security = container["securityContext"]!;
        security["privileged"]?.GetValue<bool>().ShouldBeFalse();
        security["allowPrivilegeEscalation"]!.GetValue<bool>().ShouldBeFalse();
        security["readOnlyRootFilesystem"]!.GetValue<bool>().ShouldBeTrue();
        security["capabilities"]!["drop"]![0]!.GetValue<string>().ShouldBe("ALL");
        // The kernel's word for it: what runs on the node is not root and has no capability.
        var process = NodeProcesses.Of(pod["metadata"]!["uid"]!.GetValue<string>(), "enclave-host").ShouldHaveSingleItem();
        var lines = File.ReadAllLines($"/proc/{process}/status");
        lines.ShouldContain("CapEff:\t0000000000000000");
        lines.Single(line => line.StartsWith("Uid:", StringComparison.Ordinal)).ShouldNotContain("\t0");
    }

    private async Task ChildrenAreOwnedByTheNed()
    {
        var ned = await hello.Ned();
        ned["status"]!["status"]!.GetValue<string>().ShouldBe("SCHEDULED");
        var digest = ned["status"]!["manifestDigest"]!.GetValue<string>();
        foreach (var (kind, name) in new[] { ("deployment", "hello"), ("service", "hello"), ("configmap", $"hello-manifest-{digest[..10]}") })
        {
            var child = await Kubectl.Get(kind, name, "-n", hello.Namespace);
            var owner = child["metadata"]!["ownerReferences"]!.AsArray().ShouldHaveSingleItem()!;
            owner["uid"]!.GetValue<string>().ShouldBe(ned["metadata"]!["uid"]!.GetValue<string>());
            owner["controller"]!.GetValue<bool>().ShouldBeTrue();
        }
    }

    private async Task AnswerComesFromTheEnclave()
    {
        var answer = await hello.Answer();
        var status = await hello.Status();
        var node = await Kubectl.Get("nodes");
        var nodeKernel = node["items"]![0]!["status"]!["nodeInfo"]!["kernelVersion"]!.GetValue<string>();
        var enclaveKernel = status["kernelRelease"]!.GetValue<string>();
        enclaveKernel.ShouldNotBe(nodeKernel);
        answer.ShouldContain(enclaveKernel);
        answer.ShouldContain(status["bootId"]!.GetValue<string>());
        answer.ShouldNotContain((await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id")).Trim());
    }

    private async Task StatusTellsTheTruth()
    {
        var status = await hello.Status();
        status["state"]!.GetValue<string>().ShouldBe("Running");
        status["driver"]!.GetValue<string>().ShouldBe("qemu");
        status["manifestDigest"]!.GetValue<string>().ShouldBe((await hello.Ned())["status"]!["manifestDigest"]!.GetValue<string>());
        // The image came in through the egress relay: there is no other network in the enclave.
        status["relays"]!.AsArray().Any(relay =>
            relay!["name"]!.GetValue<string>().StartsWith("egress", StringComparison.Ordinal) && relay["bytesIn"]!.GetValue<long>() > 0).ShouldBeTrue();
    }

    private async Task<string> Uid() => (await hello.Pod())["metadata"]!["uid"]!.GetValue<string>();

    private static int Machine(string podUid) => NodeProcesses.Of(podUid, "qemu-system-x86_64").ShouldHaveSingleItem();
}
