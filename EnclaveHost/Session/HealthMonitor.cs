using System.Globalization;
using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Lifecycle;
using Grpc.Core;

namespace Enclaves.EnclaveHost.Session;

/// <summary>
/// Asks the Orchestrator at each interval, and at once when there is news, and moves the state between ManifestSynced, Running and Unhealthy.
/// <list type="bullet">
/// <item>No answer counts as a miss; <c>threshold</c> misses in a row make the enclave unhealthy: one late answer proves nothing.</item>
/// <item>A miss while this process itself was late, paused or starved, proves nothing at all and does not count, ten times in a row at most.</item>
/// <item>The answer "not healthy" does so at once: it is no doubt, and thresholds of probes were applied inside already.</item>
/// <item>One good answer makes it Running.</item>
/// </list>
/// </summary>
internal sealed class HealthMonitor(EnclaveStateMachine state, EnclaveView view, TimeSpan interval, int threshold, TimeProvider time)
{
    // Whatever the interval: a longer one must not make the silence longer by itself, a shorter one not an emulated machine's answer late.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    // Less leaves the enclave most of the limit to answer in.
    private static readonly TimeSpan ExcusedDelay = Limit / 4;
    private const int MaxExcused = 10;

    private TaskCompletionSource _news = NoNews();
    private int _misses;
    private int _excused;

    /// <summary>There is news of the enclave: the next check does not wait for its time.</summary>
    public void CheckSoon() => Volatile.Read(ref _news).TrySetResult();

    /// <summary>Checks until cancelled.</summary>
    /// <param name="check">Asks, within the given time.</param>
    /// <param name="cancellation">Ends the checks.</param>
    public async Task RunAsync(Func<TimeSpan, CancellationToken, Task<HealthReply>> check, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(interval, time);
        var tick = timer.WaitForNextTickAsync(cancellation).AsTask();
        while (true)
        {
            // Taken before the check: what comes while the answer is on its way may not be in it.
            var news = NoNews();
            Volatile.Write(ref _news, news);
            await CheckAsync(check, cancellation);
            if (await Task.WhenAny(tick, news.Task) != tick)
                continue;
            await tick;
            tick = timer.WaitForNextTickAsync(cancellation).AsTask();
        }
    }

    private static TaskCompletionSource NoNews() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task CheckAsync(Func<TimeSpan, CancellationToken, Task<HealthReply>> check, CancellationToken cancellation)
    {
        using var own = new OwnDelay(time, Limit / 10);
        try
        {
            var reply = await check(Limit, cancellation);
            (_misses, _excused) = (0, 0);
            view.Health = new HealthView(time.GetUtcNow(), reply.Healthy, reply.Reason, reply.Message);
            if (reply.Healthy)
                state.TryMove(EnclaveState.Running, "Healthy");
            else
                state.TryMove(EnclaveState.Unhealthy, reply.Reason.Length > 0 ? reply.Reason : "NotHealthy", reply.Message);
        }
        catch (Exception e) when (e is RpcException or HttpRequestException or IOException && !cancellation.IsCancellationRequested)
        {
            if (own.Longest > ExcusedDelay && _excused++ < MaxExcused)
                return;
            _misses++;
            var message = string.Create(CultureInfo.InvariantCulture, $"{_misses} health checks in a row without an answer: {CallFailure.Describe(e)}");
            view.Health = new HealthView(time.GetUtcNow(), false, "NoAnswer", message);
            if (_misses >= threshold)
                state.TryMove(EnclaveState.Unhealthy, "NoAnswer", message);
        }
    }
}
