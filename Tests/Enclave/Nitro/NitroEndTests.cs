using System.Collections.Concurrent;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave.Nitro;

/// <summary>How enclaves end, and what is told of it.</summary>
public sealed class NitroEndTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task An_enclave_that_ends_by_itself_is_noticed()
    {
        await using var nitro = new StandIn();
        await using (var enclave = await nitro.Driver().StartAsync(TestContext.Current.CancellationToken))
        {
            ProcessTable.Signal(StandIn.ProcessOf(enclave), ProcessTable.SigKill);
            (await enclave.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken)).ShouldBe($"enclave {enclave.Description.Id} (CID {enclave.Description.Cid}) ended by itself");
        }

        nitro.Count("terminate-enclave").ShouldBe(0);
    }

    [Fact]
    public async Task An_enclave_that_does_not_run_any_more_has_ended()
    {
        await using var nitro = new StandIn();
        await using var enclave = await nitro.Driver(nitro.Options(), new HurriedTime(5)).StartAsync(TestContext.Current.CancellationToken);
        nitro.Play("describe-enclaves", "describe | sed s/RUNNING/TERMINATING/");
        (await enclave.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken)).ShouldContain("nitro-cli says that it is TERMINATING");
        nitro.StopPlaying("describe-enclaves");
    }

    [Fact]
    public async Task A_nitro_cli_that_does_not_answer_for_a_while_is_not_the_end()
    {
        await using var nitro = new StandIn();
        await using var enclave = await nitro.Driver(nitro.Options(), new HurriedTime(5)).StartAsync(TestContext.Current.CancellationToken);
        nitro.Play("describe-enclaves", "echo '[]'; failure E39 39");
        await EndToEnd.Eventually.Holds("it was noticed", Soon, () => Task.FromResult(nitro.Log.Text.Contains("does not say how enclave", StringComparison.Ordinal)));
        nitro.StopPlaying("describe-enclaves");
        enclave.Exited.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_termination_that_fails_is_tried_again()
    {
        await using var nitro = new StandIn();
        nitro.Play("terminate-enclave.1", "failure E39 39");
        nitro.Play("terminate-enclave.2", "printf '{\"EnclaveID\": \"%s\", \"Terminated\": false}' $id");
        await using var enclave = await nitro.Driver().StartAsync(TestContext.Current.CancellationToken);
        await enclave.StopAsync(Soon);
        nitro.Count("terminate-enclave").ShouldBe(3);
        nitro.Processes().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("failure E39 39")]
    [InlineData("while :; do sleep 0.1; done")]
    [InlineData("printf '{\"EnclaveID\": \"%s\", \"Terminated\": true}' $id")]
    public async Task A_termination_that_never_works_ends_with_the_end_of_the_process(string play)
    {
        await using var nitro = new StandIn();
        nitro.Play("terminate-enclave", play);
        await using var enclave = await nitro.Driver().StartAsync(TestContext.Current.CancellationToken);
        await enclave.StopAsync(TimeSpan.FromSeconds(2));
        enclave.Exited.IsCompleted.ShouldBeTrue();
        nitro.Processes().ShouldBeEmpty();
    }

    [Fact]
    public async Task In_debug_mode_the_console_is_read_and_the_measurements_are_what_is_attested()
    {
        await using var nitro = new StandIn();
        nitro.Play("console.1", "echo 'the first one ends at once'; exit 45");
        var lines = new ConcurrentQueue<string>();
        var driver = nitro.Driver(nitro.Options("--debug"), TimeProvider.System, lines.Enqueue);
        driver.IsConfidential.ShouldBeFalse();
        await using (var enclave = await driver.StartAsync(TestContext.Current.CancellationToken))
        {
            nitro.Calls.ShouldContain(call => call.StartsWith("run-enclave", StringComparison.Ordinal) && call.EndsWith(" --debug-mode", StringComparison.Ordinal));
            enclave.Description.Measurements.ShouldNotBeNull().Pcr0.ShouldBe(new string('0', 96));
            enclave.Description.Note.ShouldContain("not confidential");
            await EndToEnd.Eventually.Holds("the console of the second try", Soon, () => Task.FromResult(lines.Any(line => line.Contains("Linux version", StringComparison.Ordinal))),
                () => Task.FromResult(string.Join('\n', lines)));
            ProcessTable.Signal(StandIn.ProcessOf(enclave), ProcessTable.SigKill);
            (await enclave.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken)).ShouldContain("ended by itself; its last lines: the first one ends at once");
        }

        nitro.Processes().ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_debug_mode_nobody_asks_for_the_console()
    {
        await using var nitro = new StandIn();
        await using var enclave = await nitro.Driver().StartAsync(TestContext.Current.CancellationToken);
        nitro.Calls.ShouldNotContain(call => call.StartsWith("console", StringComparison.Ordinal) || call.Contains("--debug-mode", StringComparison.Ordinal));
    }
}
