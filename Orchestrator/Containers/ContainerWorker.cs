using System.Globalization;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Health;

namespace Enclaves.Orchestrator.Containers;

/// <summary>
/// Keeps one container as its restart policy wants it. One loop:
/// <code>
/// pull (ErrImagePull, ImagePullBackOff) -> start (CreateContainerError, RunContainerError) -> Running
///        ^ once                              ^    (CreateContainerConfigError)                   | exit, or the end
///                                            |                                                   | that a probe brings
///                                            +------ CrashLoopBackOff &lt;--- restart decision &lt;--+--> Terminated
///                                            +------ at once &lt;-------------- a Secret changed &lt;-+
/// </code>
/// While it runs it is ready or not, as its probes find. The loop ends when the container is done or <see cref="StopAsync"/> was called.
/// </summary>
internal sealed partial class ContainerWorker : IDisposable
{
    // What a container has between SIGTERM and SIGKILL when a probe ends it: a pod's default (Kubernetes, terminationGracePeriodSeconds).
    private static readonly TimeSpan KillGrace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan KillRetry = TimeSpan.FromSeconds(5);

    private readonly ManifestContainer _spec;
    private readonly RestartPolicy _policy;
    private readonly IContainerRuntime _runtime;
    private readonly ContainerInputs _inputs;
    private readonly Credentials _credentials;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action _changed;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private ContainerView _view;
    private string? _id;
    private uint _runs;
    private string _fingerprint = "";
    private Task _loop = Task.CompletedTask;

    public ContainerWorker(
        ManifestContainer spec, IContainerRuntime runtime, ContainerInputs inputs, Credentials credentials, TimeProvider time, ILogger logger, Action changed)
    {
        _spec = spec;
        _policy = Enum.Parse<RestartPolicy>(spec.RestartPolicy);
        _runtime = runtime;
        _inputs = inputs;
        _credentials = credentials;
        _time = time;
        _logger = logger;
        _changed = changed;
        _view = new ContainerView { Spec = spec, Phase = ContainerPhase.Waiting, Reason = "ContainerCreating" };
    }

    /// <summary>What is known now.</summary>
    public ContainerView View
    {
        get
        {
            lock (_lock)
                return _view;
        }
    }

    /// <summary>Completes when the container has run for the first time.</summary>
    public Task Started => _started.Task;

    /// <summary>Begins the loop.</summary>
    public void Start() => _loop = Task.Run(() => LoopAsync(_stopping.Token));

    /// <summary>Ends the loop and the container, within the grace period and what a kill takes.</summary>
    public async Task StopAsync(TimeSpan grace, CancellationToken cancellation)
    {
        await _stopping.CancelAsync();
        await _loop.WaitAsync(cancellation);
        if (_id is { } id)
            await StopRunningAsync(id, grace, cancellation);
        else
            Change(view => view.Phase == ContainerPhase.Waiting ? view with { Reason = "Stopped", Message = "" } : view);
    }

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();

    private async Task StopRunningAsync(string id, TimeSpan grace, CancellationToken cancellation)
    {
        try
        {
            var exit = await _runtime.StopAsync(id, grace, cancellation);
            LogExited(_spec.Name, exit.ExitCode, exit.Reason);
            Change(view => Ended(view, exit));
            _id = null;
            await _runtime.RemoveAsync(id, cancellation);
        }
        catch (ContainerRuntimeException e)
        {
            // The others are still to be stopped; this one ends with the enclave.
            LogStopFailed(_spec.Name, e.Message);
            Change(view => view with { Reason = e.Reason, Message = e.Message, Ready = false });
        }
    }

    private async Task LoopAsync(CancellationToken stopping)
    {
        try
        {
            await PullAsync(stopping);
            var history = default(RestartHistory);
            for (uint attempt = 0; ; attempt++)
            {
                var (exit, ran) = await RunOnceAsync(attempt, stopping);
                if (exit.Kill is { IsFault: false })
                {
                    Change(view => Ended(view, exit) with { Phase = ContainerPhase.Waiting, Reason = "ContainerCreating" });
                    continue;
                }

                // A container that has never run is tried again whatever the policy says: there is no result yet to be content with.
                var decision = RestartDecision.Of(ran ? _policy : RestartPolicy.Always, exit.IsFailure, _time.GetUtcNow(), history);
                if (decision is not RestartDecision.Restart restart)
                {
                    Change(view => Ended(view, exit));
                    return;
                }

                history = restart.History;
                await BackOffAsync(exit, ran, restart.At, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // StopAsync goes on from here.
        }
        catch (Exception e)
        {
            LogFailed(e, _spec.Name);
            Change(view => view with { Phase = ContainerPhase.Waiting, Reason = "InternalError", Message = e.Message, Ready = false });
        }
    }

    private async Task PullAsync(CancellationToken stopping)
    {
        var backOff = new PullBackOff();
        while (true)
        {
            Change(view => view with { Reason = "PullingImage" });
            try
            {
                var digest = await _runtime.PullAsync(_spec.Image, _credentials.For(_spec.Image), stopping);
                Change(view => view with { Reason = "ContainerCreating", Message = "", ImageDigest = digest });
                return;
            }
            catch (ContainerRuntimeException e)
            {
                var wait = backOff.Next();
                LogPullFailed(_spec.Name, e.Message, wait.TotalSeconds);
                Change(view => view with { Reason = "ErrImagePull", Message = e.Message });
                await WaitForAnotherPullAsync(e.Message, wait, backOff, stopping);
            }
        }
    }

    private async Task WaitForAnotherPullAsync(string problem, TimeSpan wait, PullBackOff backOff, CancellationToken stopping)
    {
        var credentials = _credentials.Changed;
        var message = string.Create(CultureInfo.InvariantCulture, $"waiting {wait.TotalSeconds} s after: {problem}");
        Change(view => view with { Reason = "ImagePullBackOff", Message = message });
        if (await Task.WhenAny(Task.Delay(wait, _time, stopping), credentials) == credentials)
            backOff.Reset();
        stopping.ThrowIfCancellationRequested();
    }

    // A container that could not be started counts as one that ended at once.
    private async Task<(ContainerExit Exit, bool Ran)> RunOnceAsync(uint attempt, CancellationToken stopping)
    {
        stopping.ThrowIfCancellationRequested();
        string id;
        try
        {
            // Before the values are taken: a change in between is one more restart, and none that is missed.
            _fingerprint = _inputs.Fingerprint();
            // Not cancelled half way: a container that was started and whose id nobody knows could not be stopped.
            id = await _runtime.StartAsync(_inputs.Take(), attempt, CancellationToken.None);
        }
        catch (ContainerRuntimeException e)
        {
            LogStartFailed(_spec.Name, e.Reason, e.Message);
            Change(view => view with { Phase = ContainerPhase.Waiting, Reason = e.Reason, Message = e.Message, Ready = false });
            var now = _time.GetUtcNow();
            return (new ContainerExit(128, e.Reason, now, now), Ran: false);
        }

        _id = id;
        LogStarted(_spec.Name, attempt);
        Change(view => view with
        {
            Phase = ContainerPhase.Running,
            Reason = "",
            Message = "",
            Ready = ContainerProbes.IsReadyAtOnce(_spec),
            // A start that failed is an attempt, not a restart.
            Restarts = _runs++,
            Started = _time.GetUtcNow(),
        });
        _started.TrySetResult();
        var exit = await UntilExitAsync(id, stopping);
        LogExited(_spec.Name, exit.ExitCode, exit.Reason);
        _id = null;
        await _runtime.RemoveAsync(id, CancellationToken.None);
        return (exit, Ran: true);
    }

    private async Task<ContainerExit> UntilExitAsync(string id, CancellationToken stopping)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var exit = _runtime.WaitAsync(id, stopping);
        var probes = new ContainerProbes(_spec, id, _runtime, SetReady, _time).RunAsync(ended.Token);
        var rotation = RotationAsync(ended.Token);
        try
        {
            if (await Task.WhenAny(exit, probes, rotation) == exit)
                return await exit;
            var kill = await (probes.IsCompleted ? probes : rotation);
            // What the probes find from here on is that it is being stopped.
            await ended.CancelAsync();
            await KillAsync(id, kill, exit, stopping);
            return await exit with { Kill = kill };
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll((Task)probes, rotation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Completes when a value that the container uses is not the one any more that it was, or was to be, started with.
    private async Task<Kill> RotationAsync(CancellationToken cancellation)
    {
        if (!_inputs.UseSecrets)
            await Task.Delay(Timeout.Infinite, cancellation);
        while (true)
        {
            var changed = _inputs.Changed;
            if (_inputs.Fingerprint() != _fingerprint)
                return new Kill("SecretRotated", "a Secret that it uses has changed", IsFault: false);
            await changed.WaitAsync(cancellation);
        }
    }

    private async Task KillAsync(string id, Kill kill, Task exit, CancellationToken stopping)
    {
        LogKilled(_spec.Name, kill.Message);
        Change(view => view with { Ready = false, Message = $"{kill.Message}; it is being stopped" });
        while (!exit.IsCompleted)
        {
            try
            {
                await _runtime.StopAsync(id, KillGrace, stopping);
                return;
            }
            catch (ContainerRuntimeException e)
            {
                LogStopFailed(_spec.Name, e.Message);
                await Task.WhenAny(exit, Task.Delay(KillRetry, _time, stopping));
                stopping.ThrowIfCancellationRequested();
            }
        }
    }

    // What the probes tell; of no effect unless the container runs.
    private void SetReady(bool ready, string problem)
    {
        var before = View;
        Change(view => view.Phase == ContainerPhase.Running ? view with { Ready = ready, Message = problem } : view);
        if (ready && !before.Ready)
            LogReady(_spec.Name);
        else if (!ready && before.Ready)
            LogNotReady(_spec.Name, problem);
    }

    private async Task BackOffAsync(ContainerExit exit, bool ran, DateTimeOffset until, CancellationToken stopping)
    {
        var wait = until - _time.GetUtcNow();
        var message = string.Create(CultureInfo.InvariantCulture, $"back-off {wait.TotalSeconds:0} s restarting container {_spec.Name}");
        Change(view => (ran ? Ended(view, exit) : view) with
        {
            Phase = ContainerPhase.Waiting,
            Reason = !ran ? view.Reason : wait > TimeSpan.Zero ? "CrashLoopBackOff" : "ContainerCreating",
            Message = !ran ? view.Message : wait > TimeSpan.Zero ? message : "",
        });
        if (wait <= TimeSpan.Zero)
            return;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var rotation = RotationAsync(over.Token);
        // What it failed for may be what has just changed.
        await Task.WhenAny(Task.Delay(wait, _time, over.Token), rotation);
        await over.CancelAsync();
        await ((Task)rotation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.ThrowIfCancellationRequested();
    }

    private static ContainerView Ended(ContainerView view, ContainerExit exit) =>
        view with { Phase = ContainerPhase.Terminated, Reason = exit.Reason, Message = "", Ready = false, LastExit = exit };

    private void Change(Func<ContainerView, ContainerView> change)
    {
        lock (_lock)
        {
            var next = change(_view);
            if (next == _view)
                return;
            _view = next;
        }

        _changed();
    }

    [LoggerMessage(1, LogLevel.Information, "container {Name}: started (attempt {Attempt})")]
    private partial void LogStarted(string name, uint attempt);

    [LoggerMessage(2, LogLevel.Information, "container {Name}: ended with exit code {Code}, {Reason}")]
    private partial void LogExited(string name, int code, string reason);

    [LoggerMessage(3, LogLevel.Warning, "container {Name}: {Reason}: {Problem}")]
    private partial void LogStartFailed(string name, string reason, string problem);

    [LoggerMessage(4, LogLevel.Warning, "container {Name}: the image cannot be pulled, next try in {Seconds} s: {Problem}")]
    private partial void LogPullFailed(string name, string problem, double seconds);

    [LoggerMessage(6, LogLevel.Error, "container {Name}: cannot be stopped: {Problem}")]
    private partial void LogStopFailed(string name, string problem);

    [LoggerMessage(7, LogLevel.Warning, "container {Name}: {Problem}; it is being stopped")]
    private partial void LogKilled(string name, string problem);

    [LoggerMessage(8, LogLevel.Information, "container {Name}: ready")]
    private partial void LogReady(string name);

    [LoggerMessage(9, LogLevel.Warning, "container {Name}: not ready any more: {Problem}")]
    private partial void LogNotReady(string name, string problem);

    [LoggerMessage(5, LogLevel.Critical, "container {Name}: its loop failed; it is not started again")]
    private partial void LogFailed(Exception e, string name);
}
