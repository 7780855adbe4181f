namespace Enclaves.Orchestrator.Containers;

/// <summary>When a container is started again, with a kubelet's meaning.</summary>
internal enum RestartPolicy
{
    /// <summary>Whatever the exit code.</summary>
    Always,

    /// <summary>When it failed: the exit code is not zero, or a probe ended it.</summary>
    OnFailure,

    /// <summary>Not at all.</summary>
    Never,
}

/// <summary>
/// What is remembered between two exits of a container: the wait that the next restart has to observe, and when the last one was granted.
/// The default value is that of a container which has never been restarted.
/// </summary>
internal readonly record struct RestartHistory(TimeSpan BackOff, DateTimeOffset LastRestart);

/// <summary>The answer to an exit.</summary>
internal abstract record RestartDecision
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Healthy = TimeSpan.FromMinutes(10);

    private RestartDecision()
    {
    }

    /// <summary>Start it again at that time; until then it waits as CrashLoopBackOff. The history holds from then on.</summary>
    public sealed record Restart(DateTimeOffset At, RestartHistory History) : RestartDecision;

    /// <summary>It is not started again.</summary>
    public sealed record Done : RestartDecision;

    /// <summary>
    /// Decides as a kubelet does. The first restart is immediate and charges a wait of 10 s to the next; each restart that observes a wait
    /// doubles it up to 5 min; an exit more than 10 min after the last restart begins anew.
    /// <code>
    /// exit 1 -> restart at once          (next wait 10 s)
    /// exit 2 -> restart after 10 s       (next wait 20 s)
    /// exit 3 -> restart after 20 s       (next wait 40 s) ... 5 min
    /// exit n, 10 min after restart n-1 -> restart at once (next wait 10 s)
    /// </code>
    /// </summary>
    public static RestartDecision Of(RestartPolicy policy, bool failed, DateTimeOffset finished, RestartHistory history)
    {
        if (policy == RestartPolicy.Never || (policy == RestartPolicy.OnFailure && !failed))
            return new Done();
        if (history.BackOff == TimeSpan.Zero || finished - history.LastRestart > Healthy)
            return new Restart(finished, new RestartHistory(First, finished));
        var at = finished + history.BackOff;
        var doubled = history.BackOff * 2;
        return new Restart(at, new RestartHistory(doubled < Longest ? doubled : Longest, at));
    }
}
