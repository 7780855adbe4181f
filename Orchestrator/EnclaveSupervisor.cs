using System.Net;
using System.Net.Sockets;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Relay;
using Enclaves.Channel.Transport;
using Enclaves.Orchestrator.Containers;
using Enclaves.Orchestrator.Egress;
using Enclaves.Orchestrator.Ingress;
using Enclaves.Orchestrator.Logs;
using Enclaves.Orchestrator.Secrets;
using Enclaves.Orchestrator.Volumes;

namespace Enclaves.Orchestrator;

/// <summary>What the enclave as a whole is doing.</summary>
internal enum EnclavePhase
{
    /// <summary>Nothing runs before the host has handed a manifest over.</summary>
    WaitingForManifest,

    /// <summary>Relays and containers are being started.</summary>
    Starting,

    /// <summary>Every container was healthy at once; what is wrong since is said by the containers.</summary>
    Running,

    /// <summary>Every container has ended as its restart policy allows; nothing is left to run.</summary>
    Completed,

    /// <summary>The host asked for the end.</summary>
    Stopping,

    /// <summary>The manifest cannot be run; the reason says why.</summary>
    Failed,
}

/// <summary>Where the enclave's own files and addresses are: everything that differs between a machine of its own and a guest process.</summary>
/// <param name="Folder">Folder, in memory, for what the enclave makes of its manifest.</param>
/// <param name="HostsFile">The table of host names that egress writes.</param>
/// <param name="FirstEgressAddress">First address of the block for host names.</param>
/// <param name="OwnsNetwork">The loopback interface is the enclave's.</param>
internal sealed record EnclavePlace(string Folder, string HostsFile, IPAddress FirstEgressAddress, bool OwnsNetwork);

/// <summary>
/// Runs one manifest, once: egress, ingress, the container runtime, then the containers, each role when those before it have started.
/// </summary>
internal sealed partial class EnclaveSupervisor(
    IContainerRuntime runtime,
    IGuestTransport transport,
    EgressRelays egress,
    EnclavePlace place,
    Credentials credentials,
    SecretStore secrets,
    VolumeFolders volumes,
    LogFiles logFiles,
    StatusChanges changes,
    Shutdown shutdown,
    TimeProvider time,
    ILogger<EnclaveSupervisor> logger) : IAsyncDisposable
{
    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RuntimeLimit = TimeSpan.FromMinutes(2);

    // The host must have seen the reason before the session ends with the enclave.
    private static readonly TimeSpan FailureNotice = TimeSpan.FromSeconds(2);

    private readonly ILogger<EnclaveSupervisor> _logger = logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<ContainerWorker> _workers = [];
    private readonly Lock _lock = new();
    private List<RelayServer> _relays = [];
    private EnclaveState _state = new(EnclavePhase.WaitingForManifest, "", "the host has not sent a manifest yet");
    private Task _run = Task.CompletedTask;

    /// <summary>The phase and why.</summary>
    public EnclaveState State
    {
        get
        {
            lock (_lock)
                return _state;
        }
    }

    /// <summary>The containers in the manifest's order.</summary>
    public IReadOnlyList<ContainerView> Containers
    {
        get
        {
            lock (_lock)
                return [.. _workers.Select(worker => worker.View)];
        }
    }

    /// <summary>The relays, egress first.</summary>
    public IReadOnlyList<RelayServer> Relays
    {
        get
        {
            lock (_lock)
                return [.. _relays];
        }
    }

    /// <summary>Begins with a manifest; the caller sees to it that there is only one.</summary>
    public void Start(EnclaveManifest manifest)
    {
        volumes.Take(manifest);
        var workers = manifest.Containers.Select(container => new ContainerWorker(
            container, runtime, new ContainerInputs(container, volumes, secrets, logFiles.Folder), credentials, time, _logger, OnContainerChanged));
        lock (_lock)
            _workers.AddRange(workers);
        Enter(EnclavePhase.Starting, "", "");
        _run = Task.Run(() => RunAsync(manifest));
    }

    /// <summary>Stops the containers, the last role first, within the grace period and what kills take. May be called again.</summary>
    public async Task StopAsync(TimeSpan grace, CancellationToken cancellation)
    {
        // Why an enclave failed is more than that it ends.
        if (State.Phase != EnclavePhase.Failed)
            Enter(EnclavePhase.Stopping, "StopRequested", "");
        await _stopping.CancelAsync();
        await _run.WaitAsync(cancellation);
        // The kills and the removals are part of what the host waits for.
        grace -= grace / 5 < LongestMargin ? grace / 5 : LongestMargin;
        var started = time.GetTimestamp();
        var roles = _workers.GroupBy(worker => worker.View.Spec.Role).Reverse().ToArray();
        for (var i = 0; i < roles.Length; i++)
        {
            // A role that does not listen uses up its own share of the time and not that of those it depends on.
            var left = grace - time.GetElapsedTime(started);
            var share = left > TimeSpan.Zero ? left / (roles.Length - i) : TimeSpan.Zero;
            await Task.WhenAll(roles[i].Select(worker => worker.StopAsync(share, cancellation)));
        }
    }

    /// <summary>Ends the relays. The runtime is ended by its owner, after this.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _run;
        foreach (var relay in Relays)
            await relay.DisposeAsync();
        foreach (var worker in _workers)
            worker.Dispose();
        await logFiles.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task RunAsync(EnclaveManifest manifest)
    {
        try
        {
            volumes.Make();
            logFiles.Start(manifest);
            StartRelays(manifest);
            await PrepareRuntimeAsync(manifest);
            LogRuntimeReady();
            await StartContainersAsync();
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // StopAsync goes on from here; what was under way may have been cut in any way.
        }
        catch (EgressPlanException e)
        {
            await FailAsync("InvalidEgress", e);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            await FailAsync("EnclaveNotPrepared", e);
        }
        catch (TimeoutException e)
        {
            await FailAsync("RuntimeNotReady", e);
        }
        catch (Exception e)
        {
            await FailAsync("InternalError", e);
        }
    }

    private async Task PrepareRuntimeAsync(EnclaveManifest manifest)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        limit.CancelAfter(RuntimeLimit);
        try
        {
            await runtime.PrepareAsync(manifest, limit.Token);
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            throw new TimeoutException($"the container runtime was not ready within {RuntimeLimit.TotalSeconds} s; the lines before this one say what it waited for");
        }
    }

    private void StartRelays(EnclaveManifest manifest)
    {
        var relays = egress.Start(EgressPlan.Of(manifest, place.FirstEgressAddress), place.HostsFile, place.OwnsNetwork);
        lock (_lock)
            _relays = relays;
        var ingress = IngressRelays.Start(manifest, transport, _logger);
        lock (_lock)
            _relays = [.. relays, .. ingress];
    }

    // The containers of one role are started together, but never before those they may depend on.
    private async Task StartContainersAsync()
    {
        foreach (var role in _workers.GroupBy(worker => worker.View.Spec.Role))
        {
            foreach (var worker in role)
                worker.Start();
            await Task.WhenAll(role.Select(worker => worker.Started)).WaitAsync(_stopping.Token);
        }

        LogAllStarted(_workers.Count);
    }

    private void OnContainerChanged()
    {
        EnclavePhase? next = null;
        lock (_lock)
        {
            if (_state.Phase is EnclavePhase.Starting or EnclavePhase.Running && _workers.TrueForAll(worker => worker.View.IsDone))
                next = EnclavePhase.Completed;
            else if (_state.Phase == EnclavePhase.Starting && _workers.TrueForAll(worker => worker.View.Healthy))
                next = EnclavePhase.Running;
            if (next is { } phase)
                _state = new EnclaveState(phase, "", "");
        }

        if (next is { } entered)
            LogPhase(entered, "");
        changes.Raise();
    }

    private void Enter(EnclavePhase phase, string reason, string message)
    {
        lock (_lock)
            _state = new EnclaveState(phase, reason, message);
        LogPhase(phase, reason);
        changes.Raise();
    }

    // Nothing in here can mend it: the enclave ends, and the host boots it again or gives up with this reason.
    private async Task FailAsync(string reason, Exception e)
    {
        LogFailed(e, reason);
        Enter(EnclavePhase.Failed, reason, e.Message);
        await Task.Delay(FailureNotice, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        shutdown.Fail($"{reason}: {e.Message}");
    }

    [LoggerMessage(1, LogLevel.Information, "phase {Phase} {Reason}")]
    private partial void LogPhase(EnclavePhase phase, string reason);

    [LoggerMessage(2, LogLevel.Critical, "the enclave cannot run its manifest: {Reason}")]
    private partial void LogFailed(Exception e, string reason);

    [LoggerMessage(3, LogLevel.Information, "the container runtime is ready")]
    private partial void LogRuntimeReady();

    [LoggerMessage(4, LogLevel.Information, "all {Count} containers have been started")]
    private partial void LogAllStarted(int count);
}

/// <summary>Phase, CamelCase reason (empty while all is well) and one sentence.</summary>
internal sealed record EnclaveState(EnclavePhase Phase, string Reason, string Message);
