using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>Whatever is killed, in whatever state: nothing stays behind.</summary>
public sealed class OrphanTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Killing_the_host_while_it_boots_leaves_nothing()
    {
        // It lives but never answers.
        await using var enclave = LocalEnclave.Start(null, "--orchestrator", Path.Combine(AppContext.BaseDirectory, "Plugin", "silent.sh"));
        await enclave.Host.UntilStateAsync("Booting", LocalEnclave.ReadyLimit);
        await Eventually.Holds("there is something to leave", Soon, () => Task.FromResult(enclave.Host.Processes().Count > 1), enclave.Host.Explain);
        enclave.Host.Signal(ProcessTable.SigKill);
        await enclave.Host.UntilNothingIsLeftAsync(Soon);
    }

    [Fact]
    public async Task Killing_the_host_while_the_containers_start_leaves_nothing()
    {
        await using var enclave = LocalEnclave.Start(app => app with { Command = ["/bin/sleep", "1000"] });
        await enclave.Host.UntilStateAsync("ManifestSynced", LocalEnclave.ReadyLimit);
        await Eventually.Holds("the container runs", Soon, () => Task.FromResult(enclave.Host.Processes().Any(p => p.Name == "sleep")), enclave.Host.Explain);
        enclave.Host.Signal(ProcessTable.SigKill);
        await enclave.Host.UntilNothingIsLeftAsync(Soon);
    }

    [Fact]
    public async Task Killing_the_host_while_it_runs_leaves_nothing()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        enclave.Host.Processes().Count.ShouldBeGreaterThanOrEqualTo(3);
        enclave.Host.Signal(ProcessTable.SigKill);
        await enclave.Host.UntilNothingIsLeftAsync(Soon);
    }

    [Fact]
    public async Task Killing_the_host_of_a_frozen_enclave_leaves_nothing()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        ProcessTable.Signal(enclave.Host.Child("orchestrator").Id, ProcessTable.SigStop);
        await enclave.Host.UntilStateAsync("Unhealthy", Soon);
        enclave.Host.Signal(ProcessTable.SigKill);
        await enclave.Host.UntilNothingIsLeftAsync(Soon);
    }

    [Fact]
    public async Task Killing_the_host_while_it_stops_leaves_nothing()
    {
        await using var enclave = await StoppingAsync();
        enclave.Host.Processes().Count.ShouldBeGreaterThanOrEqualTo(3);
        enclave.Host.Signal(ProcessTable.SigKill);
        await enclave.Host.UntilNothingIsLeftAsync(Soon);
    }

    [Fact]
    public async Task Killing_the_enclave_while_it_stops_ends_the_stop_and_leaves_nothing()
    {
        await using var enclave = await StoppingAsync();
        ProcessTable.Signal(enclave.Host.Child("orchestrator").Id, ProcessTable.SigKill);
        (await enclave.Host.ExitAsync(Soon)).ShouldBe(0, enclave.Host.Output);
        await enclave.Host.UntilNothingIsLeftAsync(Soon);
    }

    [Fact]
    public async Task An_enclave_that_is_killed_again_and_again_is_given_up_with_the_reason_and_leaves_nothing()
    {
        await using var enclave = await LocalEnclave.ReadyAsync("--max-boots", "2");
        ProcessTable.Signal(enclave.Host.Child("orchestrator").Id, ProcessTable.SigKill);
        await enclave.Host.UntilBootRunsAsync(2, LocalEnclave.ReadyLimit);
        ProcessTable.Signal(enclave.Host.Child("orchestrator").Id, ProcessTable.SigKill);
        (await enclave.Host.ExitAsync(Soon)).ShouldBe(1, enclave.Host.Output);
        enclave.Host.TerminationMessage.ShouldStartWith("TooManyBoots: the enclave ended 2 times in a row, lastly: orchestrator was killed by signal 9");
        await enclave.Host.UntilNothingIsLeftAsync(Soon);
    }

    private static async Task<LocalEnclave> StoppingAsync()
    {
        var enclave = await LocalEnclave.ReadyAsync("--stop-grace", "60s");
        try
        {
            enclave.Host.Signal(ProcessTable.SigTerm);
            await enclave.Host.UntilStateAsync("Stopping", Soon);
            return enclave;
        }
        catch
        {
            await enclave.DisposeAsync();
            throw;
        }
    }
}
