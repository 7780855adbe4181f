using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

/// <summary>A worker with probes by command, whose answers the test gives. Looks come 1 s after the start and then every 10 s.</summary>
public sealed class ContainerProbesTests : IAsyncDisposable
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);
    private static readonly ManifestProbe Probe = new()
    {
        Exec = ["/bin/check"],
        InitialDelaySeconds = 0,
        PeriodSeconds = 10,
        TimeoutSeconds = 1,
        SuccessThreshold = 1,
        FailureThreshold = 3,
    };

    private readonly TestClock _time = new();
    private readonly ScriptedRuntime _runtime = new();
    private volatile ExecResult? _answer;
    private int _looks;

    public ContainerProbesTests() => _runtime.Exec = () =>
    {
        Interlocked.Increment(ref _looks);
        return _answer ?? throw new ContainerRuntimeException("ExecError", "no such command");
    };

    public ValueTask DisposeAsync() => _runtime.DisposeAsync();

    [Fact]
    public async Task A_container_with_a_readiness_probe_is_ready_from_its_first_success_to_the_third_failure_in_a_row()
    {
        using var worker = await StartAsync("Always", app => app with { ReadinessProbe = Probe });
        _answer = new ExecResult(1, "not yet\n");
        await LookAsync(First);
        await Eventually(() => worker.View is { Ready: false, Message: "readiness probe failed: /bin/check exited with 1: not yet" });

        _answer = new ExecResult(0, "");
        await LookAsync(Period);
        await Eventually(() => worker.View is { Ready: true, Message: "" });

        _answer = new ExecResult(7, "");
        await LookAsync(Period);
        await LookAsync(Period);
        worker.View.Ready.ShouldBeTrue();
        await LookAsync(Period);
        await Eventually(() => worker.View is { Ready: false, Phase: ContainerPhase.Running });
        _runtime.Stops.ShouldBe(0);
        await worker.StopAsync(First, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("Always", true)]
    [InlineData("OnFailure", true)]
    [InlineData("Never", false)]
    public async Task A_failed_liveness_probe_ends_the_container_as_a_failure_even_if_it_exits_with_0(string policy, bool isRestarted)
    {
        _runtime.StopCode = 0;
        using var worker = await StartAsync(policy, app => app with { LivenessProbe = Probe });
        await Eventually(() => worker.View.Ready);
        _answer = new ExecResult(1, "");
        await LookAsync(First);
        await LookAsync(Period);
        _runtime.Stops.ShouldBe(0);
        await LookAsync(Period);
        await Eventually(() => _runtime.Stops == 1);
        _runtime.StopGrace.ShouldBe(TimeSpan.FromSeconds(30));
        if (isRestarted)
        {
            await _runtime.NextStartAsync();
            await Eventually(() => worker.View is { Phase: ContainerPhase.Running, Restarts: 1 });
        }
        else
        {
            await Eventually(() => worker.View.Phase == ContainerPhase.Terminated);
            worker.View.Healthy.ShouldBeFalse();
        }

        worker.View.LastExit!.Kill!.Message.ShouldBe("liveness probe failed: /bin/check exited with 1");
        worker.View.ToWire().LastTermination.Message.ShouldBe("liveness probe failed: /bin/check exited with 1");
        await worker.StopAsync(First, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Nothing_else_is_asked_before_the_startup_probe_has_succeeded()
    {
        using var worker = await StartAsync("Always", app => app with { StartupProbe = Probe with { PeriodSeconds = 3 }, LivenessProbe = Probe with { FailureThreshold = 1 } });
        _answer = new ExecResult(1, "");
        await LookAsync(First);
        await LookAsync(TimeSpan.FromSeconds(3));
        worker.View.Ready.ShouldBeFalse();
        worker.View.Message.ShouldStartWith("startup probe has not succeeded yet");
        _answer = new ExecResult(0, "");
        await LookAsync(TimeSpan.FromSeconds(3));
        await Eventually(() => worker.View.Ready);
        _answer = new ExecResult(1, "");
        await LookAsync(First);
        await Eventually(() => worker.View is { Restarts: 1, LastExit.Kill.Reason: "LivenessProbeFailed" });
        await worker.StopAsync(First, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_startup_probe_that_fails_too_often_ends_the_container()
    {
        using var worker = await StartAsync("Never", app => app with { StartupProbe = Probe with { FailureThreshold = 2 } });
        _answer = new ExecResult(1, "");
        await LookAsync(First);
        await LookAsync(Period);
        await Eventually(() => worker.View is { Phase: ContainerPhase.Terminated, LastExit: { Kill.Reason: "StartupProbeFailed", Signal: 15 } });
        await worker.StopAsync(First, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_command_that_cannot_be_run_says_nothing_about_the_container()
    {
        using var worker = await StartAsync("Always", app => app with { LivenessProbe = Probe with { FailureThreshold = 1 }, ReadinessProbe = Probe });
        for (var i = 0; i < 4; i++)
            await LookAsync(i == 0 ? First : Period, both: true);
        _runtime.Stops.ShouldBe(0);
        await Eventually(() => worker.View is { Ready: false, Message: "readiness probe failed: no such command" });
        await worker.StopAsync(First, TestContext.Current.CancellationToken);
    }

    private async Task<ContainerWorker> StartAsync(string policy, Func<ManifestContainer, ManifestContainer> with)
    {
        var app = with(TestManifests.Container("app", policy));
        var worker = new ContainerWorker(
            app, _runtime, TestManifests.Inputs(app), new Credentials(), _time, NullLogger.Instance, () => { });
        worker.Start();
        await _runtime.NextStartAsync();
        return worker;
    }

    // The next look comes after this wait: it is over when it has been made.
    private async Task LookAsync(TimeSpan wait, bool both = false)
    {
        var looks = Volatile.Read(ref _looks) + (both ? 2 : 1);
        await _time.Waits(wait);
        if (both)
            await _time.Waits(wait);
        _time.Advance(wait);
        await Eventually(() => Volatile.Read(ref _looks) >= looks);
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (var deadline = Environment.TickCount64 + 20_000; !condition(); await Task.Delay(5, TestContext.Current.CancellationToken))
            Environment.TickCount64.ShouldBeLessThan(deadline, "the condition did not come true within 20 s");
    }
}
