using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>The line that says where the time of a start went.</summary>
public sealed partial class StartTimesTests
{
    private static readonly string[] Steps = ["driver", "connect", "hello", "manifest", "containers"];

    [Fact]
    public async Task The_steps_of_a_start_are_logged_once_and_make_up_its_time()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        var (whole, steps) = Lines(enclave.Host).ShouldHaveSingleItem();
        steps.Select(step => step.Name).ShouldBe(["program", .. Steps]);
        // Each is rounded for itself.
        steps.Sum(step => step.Milliseconds).ShouldBeInRange(whole - steps.Count, whole + steps.Count);

        // An enclave that is well again has not started again.
        var orchestrator = enclave.Host.Child("orchestrator").Id;
        ProcessTable.Signal(orchestrator, ProcessTable.SigStop);
        await enclave.Host.UntilReadyzAsync(HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(15));
        ProcessTable.Signal(orchestrator, ProcessTable.SigCont);
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        Lines(enclave.Host).Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_next_boot_has_times_of_its_own()
    {
        await using var enclave = await LocalEnclave.ReadyAsync();
        ProcessTable.Signal(enclave.Host.Child("orchestrator").Id, ProcessTable.SigKill);
        await Eventually.Holds("the second boot is in the log", LocalEnclave.ReadyLimit,
            () => Task.FromResult(Lines(enclave.Host).Count == 2), enclave.Host.Explain);
        Lines(enclave.Host)[1].Steps.Select(step => step.Name).ShouldBe(Steps);
    }

    private static List<(int Whole, List<(string Name, int Milliseconds)> Steps)> Lines(HostProcess host) =>
        [.. Line().Matches(host.Output).Select(line => (Number(line.Groups[1]), StepsOf(line)))];

    private static List<(string Name, int Milliseconds)> StepsOf(Match line) =>
        [.. line.Groups[2].Captures.Zip(line.Groups[3].Captures, (name, time) => (name.Value, Number(time)))];

    private static int Number(Capture digits) => int.Parse(digits.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("ready in ([0-9]+) ms:(?: ([a-z]+) ([0-9]+),?)+")]
    private static partial Regex Line();
}
