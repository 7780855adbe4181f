using Enclaves.Orchestrator.Containers;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class ContainerWorkerTests : IAsyncDisposable
{
    private readonly TestClock _time = new();
    private readonly ScriptedRuntime _runtime = new();
    private readonly Credentials _credentials = new();

    public ValueTask DisposeAsync() => _runtime.DisposeAsync();

    [Fact]
    public async Task A_crashing_container_is_restarted_at_once_and_then_after_ten_seconds()
    {
        using var worker = Start("Always");
        await _runtime.NextStartAsync();
        _runtime.End(1);
        await _runtime.NextStartAsync();
        await Eventually(() => worker.View is { Phase: ContainerPhase.Running, Restarts: 1, LastExit.ExitCode: 1 });

        _runtime.End(3);
        await Eventually(() => worker.View is { Phase: ContainerPhase.Waiting, Reason: "CrashLoopBackOff", LastExit.ExitCode: 3, Ready: false });
        await _time.Waits(TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(9));
        worker.View.Reason.ShouldBe("CrashLoopBackOff");
        _time.Advance(TimeSpan.FromSeconds(1));
        await _runtime.NextStartAsync();
        await Eventually(() => worker.View is { Phase: ContainerPhase.Running, Restarts: 2 });
        await worker.StopAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_container_that_is_done_stays_terminated_and_is_healthy()
    {
        using var worker = Start("OnFailure");
        await _runtime.NextStartAsync();
        _runtime.End(0);
        await Eventually(() => worker.View is { Phase: ContainerPhase.Terminated, Reason: "Completed" });
        worker.View.Healthy.ShouldBeTrue();
    }

    [Fact]
    public async Task A_pull_that_fails_waits_and_says_why_and_new_credentials_end_the_wait()
    {
        _runtime.PullError = "401 unauthorized";
        using var worker = Start("Always");
        await Eventually(() => worker.View.Reason == "ImagePullBackOff");
        worker.View.Message.ShouldBe("waiting 10 s after: 401 unauthorized");

        _runtime.PullError = null;
        _credentials.Replace(new Dictionary<string, RegistryLogin> { ["registry.example"] = new("user", "word") });
        await _runtime.NextStartAsync();
        _runtime.Login.ShouldBe(new RegistryLogin("user", "word"));
        await Eventually(() => worker.View is { Phase: ContainerPhase.Running, ImageDigest: "sha256:1" });
        await worker.StopAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void The_same_credentials_again_are_no_reason_to_pull_again()
    {
        Dictionary<string, RegistryLogin> Logins() => new() { ["registry.example"] = new("user", "word") };
        _credentials.Replace(Logins());
        var changed = _credentials.Changed;
        _credentials.Replace(Logins());
        changed.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_container_that_cannot_be_started_is_tried_again_whatever_its_policy()
    {
        _runtime.StartErrors = 2;
        using var worker = Start("Never");
        await Eventually(() => worker.View is { Reason: "CreateContainerError", Message: "no such command" });
        await _time.Waits(TimeSpan.FromSeconds(10));
        _runtime.StartErrors.ShouldBe(0);
        _time.Advance(TimeSpan.FromSeconds(10));
        await _runtime.NextStartAsync();
        await Eventually(() => worker.View.Phase == ContainerPhase.Running);
        worker.View.Restarts.ShouldBe(0u);
        await worker.StopAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Stopping_ends_the_container_and_starts_no_other()
    {
        using var worker = Start("Always");
        await _runtime.NextStartAsync();
        await Eventually(() => worker.View.Phase == ContainerPhase.Running);
        await worker.StopAsync(TimeSpan.FromSeconds(7), TestContext.Current.CancellationToken);
        worker.View.Phase.ShouldBe(ContainerPhase.Terminated);
        _runtime.StopGrace.ShouldBe(TimeSpan.FromSeconds(7));
        _time.Advance(TimeSpan.FromMinutes(10));
        _runtime.Starts.ShouldBe(1);
    }

    private ContainerWorker Start(string policy)
    {
        var worker = new ContainerWorker(TestManifests.Container("app", policy), _runtime, TestManifests.Inputs(TestManifests.Container("app", policy)), _credentials, _time, NullLogger.Instance, () => { });
        worker.Start();
        return worker;
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (var deadline = Environment.TickCount64 + 20_000; !condition(); await Task.Delay(5, TestContext.Current.CancellationToken))
            Environment.TickCount64.ShouldBeLessThan(deadline, "the condition did not come true within 20 s");
    }
}
