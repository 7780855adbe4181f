using System.Net.Sockets;
using Enclaves.EnclaveHost.Drivers;
using Enclaves.EnclaveHost.Egress;
using Enclaves.EnclaveHost.Ingress;
using Enclaves.EnclaveHost.Options;
using Enclaves.EnclaveHost.Session;
using Grpc.Core;

namespace Enclaves.EnclaveHost.Lifecycle;

/// <summary>
/// The whole life of the pod's enclave: boots it, keeps its session, boots it again when it ends, stops it in order. The state machine
/// tells everybody else what is going on.
/// </summary>
internal sealed partial class EnclaveLifecycle(
    EnclaveOptions options,
    LoadedManifest manifest,
    IEnclaveDriver driver,
    EnclaveStateMachine state,
    EnclaveView view,
    SessionLoop sessions,
    TimeProvider time,
    ILoggerFactory loggers)
{
    private static readonly TimeSpan UntilGreeted = TimeSpan.FromMilliseconds(200);

    private readonly ILogger _logger = loggers.CreateLogger<EnclaveLifecycle>();
    private readonly BootBackoff _backoff = new(options.MaxBoots);

    /// <summary>The relays while they are open, for /status and /metrics.</summary>
    public OpenRelays? Relays { get; private set; }

    /// <summary>Runs until <paramref name="stop"/>, then stops in order; or until nothing helps any more. The state is final afterwards.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            Directory.CreateDirectory(options.RunFolder);
            var guard = new DestinationGuard(options.AllowDestinations, options.NodeAddresses, DestinationGuard.InterfaceAddresses);
            await using var egress = new EgressRelay(driver, manifest.Content, guard, Resolver(), loggers.CreateLogger<EgressRelay>());
            await using var ingress = await IngressRelays.OpenAsync(manifest.Content, options.BindAddress, driver.Transport, state, loggers.CreateLogger<IngressRelays>());
            Relays = new OpenRelays(ingress, egress);
            await KeepBootedAsync(ingress, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // There was no enclave to stop: between two boots.
            state.TryMove(EnclaveState.Stopping, "Stop");
            state.TryMove(EnclaveState.Stopped, "Stopped");
        }
        catch (SessionRefusedException e)
        {
            Fail("Refused", e.Message);
        }
        catch (SocketException e)
        {
            Fail("CannotListen", $"{e.Message}; check that {options.RunFolder} is writable and the ports are free");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail("CannotUseFile", $"{e.Message}; check the pod's volumes and that {options.RunFolder} is writable");
        }
    }

    private void Fail(string reason, string message) => state.TryMove(EnclaveState.Failed, reason, message);

    private HostResolver Resolver()
    {
        var system = ResolvConf.Read();
        return new HostResolver(options.DnsServers.Count > 0 ? options.DnsServers : system.Servers, system.Search, EgressRelay.ResolveTime);
    }

    private async Task KeepBootedAsync(IngressRelays ingress, CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            if (await BootAsync(ingress, stop) is not { } ending)
                return;
            view.Begin(null);
            // From its first answer on: an enclave that was only waited for has not lived.
            var wait = _backoff.Next(state.Phases.Booted is { } booted ? time.GetUtcNow() - booted : TimeSpan.Zero);
            if (wait is null)
            {
                // The Reconciler tells the two apart: what never answers is most often a matter of the node or the size, the other of the plugins.
                Fail(state.Phases.Booted is null ? "BootFailed" : "TooManyBoots", $"the enclave ended {_backoff.InARow} times in a row, lastly: {ending}");
                return;
            }

            state.TryMove(EnclaveState.Starting, "EnclaveEnded", ending);
            LogNextBoot(_backoff.InARow, options.MaxBoots, (long)wait.Value.TotalMilliseconds);
            await Task.Delay(wait.Value, time, stop);
        }
    }

    // Null when it was stopped in order, else how it ended.
    private async Task<string?> BootAsync(IngressRelays ingress, CancellationToken stop)
    {
        state.TryMove(EnclaveState.Booting, "Boot", $"driver {driver.Name}");
        try
        {
            await using var enclave = await driver.StartAsync(stop);
            view.Begin(enclave.Description);
            using var session = new EnclaveSession(driver.Transport);
            // Not tied to the stop: what the containers say while they are stopped belongs into the log too.
            using var ending = new CancellationTokenSource();
            var talking = sessions.RunAsync(driver, session, ending.Token);
            var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var asked = stop.Register(stopping.SetResult);
            var first = await Task.WhenAny(enclave.Exited, talking, stopping.Task);
            if (stop.IsCancellationRequested)
            {
                var steps = new StopSchedule(options.StopGrace, time);
                await StopContainersAsync(enclave, session, ingress, steps);
                await EndAsync(ending, talking);
                await enclave.StopAsync(steps.PowerOff);
                state.TryMove(EnclaveState.Stopped, "Stopped");
                return null;
            }

            // No traffic from this moment on, whatever taking the rest down takes.
            state.TryMove(EnclaveState.Unhealthy, "EnclaveEnded");
            await EndAsync(ending, talking);
            if (first == talking)
                await talking;
            return await DescribeEndAsync(enclave);
        }
        catch (EnclaveStartException e)
        {
            return e.Message;
        }
    }

    private static async Task EndAsync(CancellationTokenSource ending, Task talking)
    {
        await ending.CancelAsync();
        await talking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // What the Orchestrator said last is a better reason than its exit code.
    private async Task<string> DescribeEndAsync(IRunningEnclave enclave)
    {
        var exit = await enclave.Exited;
        return view.Status is { Phase: "Failed" } status ? $"{status.Reason}: {status.Message} ({exit})" : exit;
    }

    private async Task StopContainersAsync(IRunningEnclave enclave, EnclaveSession session, IngressRelays ingress, StopSchedule steps)
    {
        state.TryMove(EnclaveState.Stopping, "Stop", $"within {options.StopGrace.TotalSeconds} s");
        if (ingress.Serves)
            await Task.WhenAny(enclave.Exited, Task.Delay(steps.LameDuck, time));
        await ingress.DrainAsync(steps.Drain, CancellationToken.None);
        if (view.Manifest is null || enclave.Exited.IsCompleted)
            return;
        try
        {
            while (!await TryStopContainersAsync(session, steps))
                await Task.Delay(UntilGreeted, time);
            // It ends by itself now; a moment spares it the kill, and brings the last lines of its log.
            await Task.WhenAny(enclave.Exited, Task.Delay(StopSchedule.OwnEnd, time));
        }
        catch (RpcException e)
        {
            LogNotStopped(CallFailure.Describe(e));
        }
    }

    // False when the session has just broken: the connection is a new one, which the session's loop is about to greet.
    private static async Task<bool> TryStopContainersAsync(EnclaveSession session, StopSchedule steps)
    {
        try
        {
            await session.StopAsync(steps.Containers, CancellationToken.None);
            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.FailedPrecondition && steps.Containers > StopSchedule.LeastForContainers)
        {
            return false;
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "boot {Boots} of {MaxBoots} in a row has ended; the next follows in {WaitMilliseconds} ms")]
    private partial void LogNextBoot(int boots, int maxBoots, long waitMilliseconds);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "the containers may not have been stopped in order ({Detail}); the enclave is ended all the same")]
    private partial void LogNotStopped(string detail);
}

/// <summary>The relays of a pod.</summary>
internal sealed record OpenRelays(IngressRelays Ingress, EgressRelay Egress);
