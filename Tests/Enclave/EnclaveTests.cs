using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>EnclaveHost and Orchestrator as processes: what a user notices when all is well and when parts die.</summary>
public sealed class EnclaveTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task It_becomes_ready_and_answers_through_the_ingress()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        (await HostProcess.AskAsync(enclave.IngressPort)).ShouldStartWith("plugin ");
        var status = await enclave.Host.StatusAsync();
        status["state"]!.GetValue<string>().ShouldBe("Running");
        status["driver"]!.GetValue<string>().ShouldBe("process");
        status["confidential"]!.GetValue<bool>().ShouldBeFalse();
        status["boots"]!.GetValue<int>().ShouldBe(1);
        status["phases"]!["running"].ShouldNotBeNull();
        status["bootId"]!.GetValue<string>().ShouldNotBeEmpty();
        await Eventually.Holds("the container is in /status", Soon,
            async () => (string?)(await enclave.Host.StatusAsync())["containers"]?[0]?["state"] == "Running", enclave.Host.Explain);
        (await enclave.Host.MetricsAsync()).ShouldContain("enclave_state{state=\"Running\"} 1\n");
    }

    [Fact]
    public async Task The_containers_output_is_in_the_pods_log()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        await Eventually.Holds("the container's line is in the log", Soon,
            () => Task.FromResult(enclave.Host.Output.Split('\n').Any(line =>
                line.Contains("\"container\":\"app\",\"stream\":\"stdout\",\"text\":\"plugin serves on port", StringComparison.Ordinal))), enclave.Host.Explain);
    }

    [Fact]
    public async Task A_container_that_is_killed_comes_back_and_is_counted()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        var first = await enclave.AskPluginIdAsync();
        ProcessTable.Signal(first, ProcessTable.SigKill);
        await Eventually.Holds("one restart in /status", Soon,
            async () => (int?)(await enclave.Host.StatusAsync())["containers"]?[0]?["restarts"] == 1, enclave.Host.Explain);
        // It runs before it listens.
        await Eventually.Holds("another process answers", Soon, async () => await enclave.AskPluginIdAsync() != first, enclave.Host.Explain);
        (await enclave.Host.StatusAsync())["containers"]![0]!["lastTermination"]!["exitCode"]!.GetValue<int>().ShouldBe(137);
    }

    [Fact]
    public async Task An_enclave_that_dies_is_booted_again()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        ProcessTable.Signal(enclave.Host.Child("orchestrator").Id, ProcessTable.SigKill);
        await enclave.Host.UntilBootRunsAsync(2, LocalEnclave.ReadyLimit);
        (await HostProcess.AskAsync(enclave.IngressPort)).ShouldStartWith("plugin ");
    }

    [Fact]
    public async Task A_stop_is_orderly_within_its_grace_and_leaves_nothing()
    {
        await using var enclave = await LocalEnclave.ReadyAsync("--stop-grace", "10s");
        enclave.Host.Signal(ProcessTable.SigTerm);
        (await enclave.Host.ExitAsync(TimeSpan.FromSeconds(12))).ShouldBe(0, enclave.Host.Output);
        enclave.Host.Processes().ShouldBeEmpty();
        enclave.Host.Output.ShouldContain("Stopping -> Stopped");
        // What a container says while it is stopped is in the log too.
        enclave.Host.Output.ShouldContain("plugin is asked to stop");
        enclave.Host.Output.ShouldNotContain("may not have been stopped in order");
    }
}
