using System.Net.Sockets;
using Enclaves.EnclaveHost.Drivers;
using Enclaves.EnclaveHost.Egress;
using Enclaves.EnclaveHost.Ingress;
using Enclaves.EnclaveHost.Options;
using Enclaves.EnclaveHost.Session;

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
            await using var egress = new EgressRelay(driver, manifest.Content, guard, loggers.CreateLogger<EgressRelay>());
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
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            Fail("CannotListen", $"{e.Message}; check that {options.RunFolder} is writable and the ports are free");
        }
    }

    private void Fail(string reason, string message) => state.TryMove(EnclaveState.Failed, reason, message);

    private async Task KeepBootedAsync(IngressRelays ingress, CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var began = time.GetTimestamp();
            if (await BootAsync(ingress, stop) is not { } ending)
                return;
            view.Begin(null);
            var wait = _backoff.Next(time.GetElapsedTime(began));
            if (wait is null)
            {
                Fail("TooManyBoots", $"the enclave ended {_backoff.InARow} times in a row, lastly: {ending}");
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
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var talking = sessions.RunAsync(driver, session, ending.Token);
            var stopped = Task.Delay(Timeout.Infinite, ending.Token);
            var first = await Task.WhenAny(enclave.Exited, talking, stopped);
            if (stop.IsCancellationRequested)
            {
                await StopAsync(enclave, session, ingress);
                await EndAsync(ending, talking);
                return null;
            }

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

    private async Task StopAsync(IRunningEnclave enclave, EnclaveSession session, IngressRelays ingress)
    {
        var steps = new StopSchedule(options.StopGrace, time);
        state.TryMove(EnclaveState.Stopping, "Stop", $"within {options.StopGrace.TotalSeconds} s");
        await ingress.DrainAsync(steps.Drain, CancellationToken.None);
        if (view.Manifest is not null && !enclave.Exited.IsCompleted)
            await StopContainersAsync(enclave, session, steps.Containers);
        await enclave.StopAsync(steps.PowerOff);
        state.TryMove(EnclaveState.Stopped, "Stopped");
    }

    private async Task StopContainersAsync(IRunningEnclave enclave, EnclaveSession session, TimeSpan grace)
    {
        try
        {
            await session.StopAsync(grace, CancellationToken.None);
            // It ends by itself now; a moment spares it the kill.
            await Task.WhenAny(enclave.Exited, Task.Delay(StopSchedule.OwnEnd, time));
        }
        catch (Grpc.Core.RpcException e)
        {
            LogNotStopped(CallFailure.Describe(e));
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "boot {Boots} of {MaxBoots} in a row has ended; the next follows in {WaitMilliseconds} ms")]
    private partial void LogNextBoot(int boots, int maxBoots, long waitMilliseconds);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "the containers may not have been stopped in order ({Detail}); the enclave is ended all the same")]
    private partial void LogNotStopped(string detail);
}

/// <summary>The relays of a pod.</summary>
internal sealed record OpenRelays(IngressRelays Ingress, EgressRelay Egress);
