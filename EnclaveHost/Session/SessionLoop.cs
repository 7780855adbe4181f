using Enclaves.Channel;
using Enclaves.EnclaveHost.Drivers;
using Enclaves.EnclaveHost.Lifecycle;
using Enclaves.EnclaveHost.Options;
using Grpc.Core;

namespace Enclaves.EnclaveHost.Session;

/// <summary>
/// Keeps a session with one enclave for as long as it lives: greets it, hands over secrets and manifest, then follows its status, its log
/// and its health. A session that breaks is made anew with back-off; the manifest is the same, so handing it over again is harmless.
/// </summary>
internal sealed partial class SessionLoop(
    EnclaveOptions options, LoadedManifest manifest, EnclaveStateMachine state, EnclaveView view, StartTimes times,
    LogForwarder logs, SecretSync secrets, TimeProvider time, ILogger<SessionLoop> logger)
{
    private static readonly TimeSpan ConnectTry = TimeSpan.FromSeconds(1);

    // A process is there after some tens of milliseconds, which somebody waits for; a machine after seconds.
    private static readonly TimeSpan FirstBetweenTries = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestBetweenTries = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan HelloTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // The Orchestrator gives a sign of life every 10 s.
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(30);

    // What another try would answer in the same way. After Hello, FAILED_PRECONDITION is not among them: it then means that the connection
    // broke in between and the new one has not been greeted.
    private static readonly StatusCode[] FinalToHello = [StatusCode.InvalidArgument, StatusCode.FailedPrecondition, StatusCode.Unimplemented];
    private static readonly StatusCode[] FinalToManifest =
        [StatusCode.InvalidArgument, StatusCode.ResourceExhausted, StatusCode.AlreadyExists, StatusCode.Unimplemented];

    /// <summary>Runs until cancelled.</summary>
    /// <exception cref="EnclaveStartException">The enclave did not answer within the boot timeout.</exception>
    /// <exception cref="SessionRefusedException">The enclave will not have this manifest or this program.</exception>
    public async Task RunAsync(IEnclaveDriver driver, EnclaveSession session, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        logs.BeginBoot();
        times.PoweredOn();
        await WaitForPortAsync(driver, started, cancellation);
        times.Connected();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var monitor = new HealthMonitor(state, view, options.HealthInterval, options.FailureThreshold, time);
        var health = Task.CompletedTask;
        try
        {
            var wait = FirstWait;
            while (true)
            {
                long? established = null;
                try
                {
                    await EstablishAsync(driver, session, ending.Token);
                    established = time.GetTimestamp();
                    if (health.IsCompleted)
                        health = monitor.RunAsync(session.HealthAsync, ending.Token);
                    await FollowAsync(session, monitor, health, ending.Token);
                }
                catch (Exception e) when (e is RpcException or IOException or InvalidDataException or HttpRequestException or TimeoutException && !cancellation.IsCancellationRequested)
                {
                    var detail = CallFailure.Describe(e);
                    if (view.Hello is null && time.GetElapsedTime(started) > options.BootTimeout)
                        throw NoAnswer(detail);
                    // The end of a session with an enclave that was told to end is no news.
                    if (state.State != EnclaveState.Stopping)
                        LogBroken(detail, (int)wait.TotalMilliseconds);
                }

                // A session that breaks as soon as it stands is no success.
                if (established is { } since && time.GetElapsedTime(since) > LongestWait)
                    wait = FirstWait;
                await Task.Delay(wait, time, cancellation);
                wait = wait.Doubled(LongestWait);
            }
        }
        finally
        {
            await ending.CancelAsync();
            await health.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // By the transport alone, before gRPC: a guest whose kernel is not up yet leaves the connection without an answer, and a try must be short.
    private async Task WaitForPortAsync(IEnclaveDriver driver, long started, CancellationToken cancellation)
    {
        var last = "it did not answer at all";
        var wait = FirstBetweenTries;
        while (time.GetElapsedTime(started) < options.BootTimeout)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(ConnectTry);
            try
            {
                (await driver.Transport.ConnectAsync(EnclavePorts.Control, limit.Token)).Dispose();
                return;
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or TimeoutException)
            {
                last = e.Message;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                last = "connections are left without an answer";
            }

            await Task.Delay(wait, time, cancellation);
            wait = wait.Doubled(LongestBetweenTries);
        }

        throw NoAnswer(last);
    }

    private EnclaveStartException NoAnswer(string detail) => new(
        $"the Orchestrator did not answer within {options.BootTimeout.TotalSeconds} s ({detail}); look at the enclave's console with --debug");

    private async Task EstablishAsync(IEnclaveDriver driver, EnclaveSession session, CancellationToken cancellation)
    {
        try
        {
            view.Hello = await session.HelloAsync(EnclavePorts.Egress(driver.Cid), Environment.MachineName, options.LogLevel, time, HelloTime, cancellation);
        }
        catch (RpcException e) when (FinalToHello.Contains(e.StatusCode))
        {
            throw new SessionRefusedException($"the enclave refuses the session ({e.StatusCode}): {e.Status.Detail}; use images of one release", e);
        }

        state.TryMove(EnclaveState.Booted, "HelloAnswered", $"kernel {view.Hello.KernelRelease}, orchestrator {view.Hello.OrchestratorVersion}");
        try
        {
            await secrets.SendAsync(session, cancellation);
            view.Manifest = await session.PutManifestAsync(manifest, cancellation);
        }
        catch (RpcException e) when (FinalToManifest.Contains(e.StatusCode))
        {
            throw new SessionRefusedException($"the enclave refuses the manifest {manifest.DigestText[..10]} or its Secrets ({e.StatusCode}): {e.Status.Detail}", e);
        }
        catch (InvalidDataException e)
        {
            throw new SessionRefusedException(e.Message, e);
        }

        state.TryMove(EnclaveState.ManifestSynced, "ManifestSealed", manifest.DigestText);
    }

    // Ends when any of these ends: they belong to one session, and a new one brings all of them back.
    private async Task FollowAsync(EnclaveSession session, HealthMonitor monitor, Task health, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] streams = [FollowStatusAsync(session, monitor, either), FollowLogsAsync(session, either.Token), secrets.FollowAsync(session, either.Token)];
        var first = await Task.WhenAny([.. streams, health]);
        await either.CancelAsync();
        await Task.WhenAll(streams).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // The reason is the first one's; the others only followed it.
        await first;
    }

    private async Task FollowStatusAsync(EnclaveSession session, HealthMonitor monitor, CancellationTokenSource ending)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
        silence.CancelAfter(SilenceLimit);
        using var call = session.WatchStatus(silence.Token);
        try
        {
            await foreach (var status in call.ResponseStream.ReadAllAsync(silence.Token))
            {
                view.Status = status;
                // It comes when something in there has changed, which may be what the next check would find out.
                monitor.CheckSoon();
                silence.CancelAfter(SilenceLimit);
            }
        }
        catch (Exception e) when (silence.IsCancellationRequested && !ending.IsCancellationRequested)
        {
            throw new TimeoutException($"no status for {SilenceLimit.TotalSeconds} s", e);
        }
    }

    private async Task FollowLogsAsync(EnclaveSession session, CancellationToken cancellation)
    {
        using var call = session.StreamLogs(cancellation);
        await foreach (var batch in call.ResponseStream.ReadAllAsync(cancellation))
        {
            logs.Forward(batch);
            // What nobody takes here is better kept and dropped inside, where the newest lines win and a gap tells what is missing.
            await logs.RoomAsync(cancellation);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "the session broke ({Reason}); a new one follows in {WaitMilliseconds} ms")]
    private partial void LogBroken(string reason, int waitMilliseconds);
}
