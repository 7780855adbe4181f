using System.Net;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>The line that says where the time of a start went.</summary>
public sealed class StartTimesTests
{
    private static readonly string[] Steps = ["driver", "connect", "hello", "manifest", "containers"];

    [Fact]
    public async Task The_steps_of_a_start_are_logged_once_and_make_up_its_time()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        // The line follows the state that it tells of.
        await Eventually.Holds("the line is in the log", LocalEnclave.ReadyLimit, () => Task.FromResult(StartLine.In(enclave.Host.Output).Count > 0), enclave.Host.Explain);
        var (whole, steps) = StartLine.In(enclave.Host.Output).ShouldHaveSingleItem();
        steps.Select(step => step.Name).ShouldBe(["program", .. Steps]);
        // Each is rounded for itself.
        steps.Sum(step => step.Milliseconds).ShouldBeInRange(whole - steps.Count, whole + steps.Count);

        // An enclave that is well again has not started again.
        var orchestrator = enclave.Host.Child("orchestrator").Id;
        ProcessTable.Signal(orchestrator, ProcessTable.SigStop);
        await enclave.Host.UntilReadyzAsync(HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(15));
        ProcessTable.Signal(orchestrator, ProcessTable.SigCont);
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        StartLine.In(enclave.Host.Output).Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_next_boot_has_times_of_its_own()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        ProcessTable.Signal(enclave.Host.Child("orchestrator").Id, ProcessTable.SigKill);
        await Eventually.Holds("the second boot is in the log", LocalEnclave.ReadyLimit,
            () => Task.FromResult(StartLine.In(enclave.Host.Output).Count == 2), enclave.Host.Explain);
        StartLine.In(enclave.Host.Output)[1].Steps.Select(step => step.Name).ShouldBe(Steps);
    }
}
