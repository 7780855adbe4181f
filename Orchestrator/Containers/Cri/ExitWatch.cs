using System.Collections.Concurrent;
using Enclaves.Orchestrator.Containers.Cri.V1;
using Grpc.Core;

namespace Enclaves.Orchestrator.Containers.Cri;

/// <summary>Looks at the list of containers every second and completes the waits for those that have ended.</summary>
internal sealed partial class ExitWatch(CriConnection connection, TimeProvider time, ILogger logger)
{
    // 128 + SIGKILL. It is also what a kubelet reports for a container whose end nobody saw.
    private const int KilledExitCode = 137;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Waiting> _waiting = new(StringComparer.Ordinal);
    private readonly ILogger _logger = logger;

    /// <summary>Only containers of this sandbox are looked at; set once it exists.</summary>
    public string Sandbox { get; set; } = "";

    public async Task<ContainerExit> WaitAsync(string id, CancellationToken cancellation)
    {
        var waiting = _waiting.GetOrAdd(id, static (_, now) => new Waiting(now), time.GetUtcNow());
        return await waiting.Exit.Task.WaitAsync(cancellation);
    }

    /// <summary>Looks at one container now instead of at the next tick.</summary>
    /// <exception cref="RpcException">containerd does not answer, or does not know the container.</exception>
    public async Task<ContainerExit> ReadExitAsync(string id, CancellationToken cancellation)
    {
        var reply = await connection.CallAsync(
            connection.Runtime.ContainerStatusAsync, new ContainerStatusRequest { ContainerId = id }, CriConnection.CallLimit, cancellation);
        var status = reply.Status;
        var reason = status.Reason.Length > 0 ? status.Reason : status.ExitCode == 0 ? "Completed" : "Error";
        if (reason == "Error" && status.ExitCode == KilledExitCode && OutOfMemory.Killed(id))
            reason = "OOMKilled";
        // containerd notes the start of a short-lived container after its end.
        var finished = FromNanoseconds(status.FinishedAt);
        var started = FromNanoseconds(Math.Min(status.StartedAt, status.FinishedAt));
        return new ContainerExit(status.ExitCode, reason, started, finished);
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Period, time);
        var failing = false;
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            if (_waiting.IsEmpty)
                continue;
            try
            {
                await LookAsync(cancellation);
                failing = false;
            }
            catch (RpcException e)
            {
                // Said once: containerd is being started again, and its containers live on.
                if (!failing)
                    LogFailed(e.Status.Detail);
                failing = true;
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellation)
    {
        // Taken before the list is: a container that is not in the list then has really gone.
        var waiting = _waiting.ToArray();
        var list = await connection.CallAsync(
            connection.Runtime.ListContainersAsync, new ListContainersRequest { Filter = new ContainerFilter { PodSandboxId = Sandbox } }, CriConnection.CallLimit, cancellation);
        var states = list.Containers.ToDictionary(container => container.Id, container => container.State, StringComparer.Ordinal);
        foreach (var (id, wait) in waiting)
        {
            if (!states.TryGetValue(id, out var state))
                Complete(id, new ContainerExit(KilledExitCode, "ContainerStatusUnknown", wait.Since, time.GetUtcNow()));
            else if (state == ContainerState.ContainerExited)
                Complete(id, await ReadExitAsync(id, cancellation));
        }
    }

    private void Complete(string id, ContainerExit exit)
    {
        if (_waiting.TryRemove(id, out var waiting))
            waiting.Exit.TrySetResult(exit);
    }

    private static DateTimeOffset FromNanoseconds(long value) => DateTimeOffset.UnixEpoch.AddTicks(value / 100);

    [LoggerMessage(4, LogLevel.Warning, "containers cannot be listed: {Reason}")]
    private partial void LogFailed(string reason);

    private sealed record Waiting(DateTimeOffset Since)
    {
        public TaskCompletionSource<ContainerExit> Exit { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
