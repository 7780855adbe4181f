using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>Who gets traffic, and until when: a sick enclave none, a stopping one what still comes, a healthy one all.</summary>
public sealed partial class TrafficTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_frozen_enclave_is_out_in_time_loses_its_connections_and_is_back_when_it_thaws()
    {
        await using var enclave = await LocalEnclave.ReadyAsync("--health-interval", "1s", "--failure-threshold", "3");
        using var held = await HeldConnection.OpenAsync(enclave.IngressPort);
        var orchestrator = enclave.Host.Child("orchestrator").Id;
        ProcessTable.Signal(orchestrator, ProcessTable.SigStop);
        var frozen = DateTimeOffset.UtcNow;
        await enclave.Host.UntilReadyzAsync(HttpStatusCode.ServiceUnavailable, Soon);
        var status = await enclave.Host.StatusAsync();
        // Threshold x interval + 1 s, and something for a busy machine.
        (status["since"]!.GetValue<DateTimeOffset>() - frozen).ShouldBeLessThan(TimeSpan.FromSeconds(3 + 1 + 0.5));
        status["reason"]!.GetValue<string>().ShouldBe("NoAnswer");
        (await held.ClosedWithinAsync(TimeSpan.FromSeconds(1))).ShouldBeTrue("the held connection is still open");
        await Should.ThrowAsync<HttpRequestException>(() => HostProcess.AskAsync(enclave.IngressPort));

        ProcessTable.Signal(orchestrator, ProcessTable.SigCont);
        await enclave.Host.UntilReadyAsync(TimeSpan.FromSeconds(10));
        (await HostProcess.AskAsync(enclave.IngressPort)).ShouldStartWith("plugin ");
        (await enclave.Host.StatusAsync())["boots"]!.GetValue<int>().ShouldBe(1);
        // Each change once, as a sentence.
        string[] story = ["Starting -> Booting", "Booting -> Booted", "Booted -> ManifestSynced", "ManifestSynced -> Running", "Running -> Unhealthy", "Unhealthy -> Running"];
        await Eventually.Holds("the story is in the log", Soon, () => Task.FromResult(Moves(enclave).SequenceEqual(story)), enclave.Host.Explain);
    }

    [Fact]
    public async Task A_host_that_was_paused_does_not_condemn_its_enclave()
    {
        // One miss would do.
        await using var enclave = await LocalEnclave.ReadyAsync("--failure-threshold", "1");
        var orchestrator = enclave.Host.Child("orchestrator").Id;
        for (var round = 0; round < 2; round++)
        {
            // As when the machine itself is paused, at the worst moment: a check is under way, and the host goes on first.
            var asked = await HealthCheckedAsync(enclave);
            ProcessTable.Signal(orchestrator, ProcessTable.SigStop);
            await Task.Delay(asked + TimeSpan.FromMilliseconds(1200) - DateTimeOffset.UtcNow, TestContext.Current.CancellationToken);
            enclave.Host.Signal(ProcessTable.SigStop);
            await Task.Delay(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken);
            enclave.Host.Signal(ProcessTable.SigCont);
            await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
            ProcessTable.Signal(orchestrator, ProcessTable.SigCont);
            await HealthCheckedAsync(enclave);
        }

        var transitions = (await enclave.Host.StatusAsync())["transitions"]!.AsArray();
        transitions.Select(move => (string?)move!["to"]).ShouldBe(["Booting", "Booted", "ManifestSynced", "Running"]);
    }

    [Fact]
    public async Task While_it_stops_it_is_not_ready_and_serves_new_connections_until_everybody_has_heard()
    {
        await using var enclave = await LocalEnclave.ReadyAsync("--stop-grace", "25s");
        enclave.Host.Signal(ProcessTable.SigTerm);
        var clock = Stopwatch.StartNew();
        await enclave.Host.UntilReadyzAsync(HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(2));
        var served = 0;
        // Of five seconds, the last is not relied upon.
        for (; clock.Elapsed < TimeSpan.FromSeconds(4); served++)
            (await HostProcess.AskAsync(enclave.IngressPort)).ShouldStartWith("plugin ");
        served.ShouldBeGreaterThan(20);
        (await enclave.Host.ExitAsync(TimeSpan.FromSeconds(12))).ShouldBe(0, enclave.Host.Output);
        // Nobody is connected, so nothing more was waited for.
        clock.Elapsed.ShouldBeInRange(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10));
        enclave.Host.Processes().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_connection_that_is_open_when_it_stops_is_drained_for_a_bounded_time()
    {
        await using var enclave = await LocalEnclave.ReadyAsync("--stop-grace", "10s");
        using var held = await HeldConnection.OpenAsync(enclave.IngressPort);
        enclave.Host.Signal(ProcessTable.SigTerm);
        var clock = Stopwatch.StartNew();
        // A fifth of the grace to be heard, a third to drain.
        (await held.ClosedWithinAsync(TimeSpan.FromSeconds(4.5))).ShouldBeFalse("the held connection was closed early");
        (await held.ClosedWithinAsync(TimeSpan.FromSeconds(3))).ShouldBeTrue("the held connection is still open");
        (await enclave.Host.ExitAsync(TimeSpan.FromSeconds(12) - clock.Elapsed)).ShouldBe(0, enclave.Host.Output);
    }

    [Fact]
    public async Task An_enclave_that_has_no_traffic_stops_without_waiting_for_any()
    {
        // It is not ready before its container listens, which it never does.
        await using var enclave = LocalEnclave.Start(app => app with { Command = ["/bin/sleep", "1000"] }, "--stop-grace", "25s");
        await enclave.Host.UntilStateAsync("ManifestSynced", LocalEnclave.ReadyLimit);
        enclave.Host.Signal(ProcessTable.SigTerm);
        var clock = Stopwatch.StartNew();
        (await enclave.Host.ExitAsync(TimeSpan.FromSeconds(25))).ShouldBe(0, enclave.Host.Output);
        // sleep is asked to stop and does.
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    private static IEnumerable<string> Moves(LocalEnclave enclave) =>
        Move().Matches(enclave.Host.Output).Select(move => move.Groups["move"].Value);

    // When the next check was answered.
    private static async Task<DateTimeOffset> HealthCheckedAsync(LocalEnclave enclave)
    {
        var before = At(await enclave.Host.StatusAsync());
        var after = before;
        await Eventually.Holds("the next health check is answered", Soon, async () => (after = At(await enclave.Host.StatusAsync())) > before, enclave.Host.Explain);
        return after;

        static DateTimeOffset At(System.Text.Json.Nodes.JsonNode status) => status["health"]!["at"]!.GetValue<DateTimeOffset>();
    }

    [GeneratedRegex(@": state (?<move>\w+ -> \w+): \w+ ")]
    private static partial Regex Move();
}
