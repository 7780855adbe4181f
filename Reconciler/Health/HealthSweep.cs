using System.Collections.Concurrent;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Health;

/// <summary>What a sweep has come to.</summary>
/// <param name="Enclaves">Enclaves that there were to ask.</param>
/// <param name="Answered">Those that have said how they are.</param>
/// <param name="Silent">Those that have not.</param>
/// <param name="NotAsked">Those for which there was no time; they are the first of the next sweep.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="ByState">How many are in which state.</param>
internal sealed record SweepSummary(int Enclaves, int Answered, int Silent, int NotAsked, double Seconds, IReadOnlyDictionary<string, int> ByState);

/// <summary>
/// Asks the EnclaveHost of every pod that runs how its enclave is: some dozens at a time, with an end to it whatever they do. What they say is
/// kept by <see cref="EnclaveStatuses"/>, what is wrong goes into the NED's status, and what has happened since the sweep before is told by an
/// event. Writes nothing and asks the API server nothing itself.
/// </summary>
internal sealed partial class HealthSweep(
    Func<LiveObject, CancellationToken, Task<EnclaveReport?>> ask, ClusterStores stores, SweepFindings findings, NedEvents events, TimeProvider time,
    ILogger<HealthSweep> logger)
{
    /// <summary>How long a sweep may take.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(25);

    /// <summary>The state of those that do not answer.</summary>
    public const string SilentState = "Silent";

    private const string OtherState = "Other";

    // Of fewer, that most of them are silent says nothing about ourselves.
    private const int EnoughToDoubtOurselves = 4;

    // By the pod's uid; used by one sweep at a time.
    private Dictionary<string, (SweptEnclave Enclave, DateTimeOffset Asked)> _known = new(StringComparer.Ordinal);

    public HealthSweep(
        EnclaveStatuses statuses, ClusterStores stores, SweepFindings findings, NedEvents events, TimeProvider time, ILogger<HealthSweep> logger)
        : this(statuses.AskAsync, stores, findings, events, time, logger)
    {
    }

    /// <summary>Asks all. To be called by one at a time.</summary>
    public async Task<SweepSummary> RunAsync(CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        var pods = stores.Pods.All.Where(IsToBeAsked).OrderBy(pod => _known.GetValueOrDefault(pod.Uid).Asked).ToList();
        var reports = await AskAsync(pods, cancellation);
        var silent = reports.Values.Count(report => report.Status is null);
        // A NetworkPolicy of the Reconciler's, or its node, and not half of the enclaves at once.
        var isSilenceOurs = reports.Count >= EnoughToDoubtOurselves && silent * 2 > reports.Count;
        if (isSilenceOurs)
            LogDoubt(logger, silent, reports.Count);
        var known = new Dictionary<string, (SweptEnclave, DateTimeOffset)>(pods.Count, StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            var before = _known.TryGetValue(pod.Uid, out var earlier) ? earlier : (Enclave: SweptEnclave.Unknown, Asked: default);
            known[pod.Uid] = reports.TryGetValue(pod.Uid, out var report) ? (Take(pod, before.Enclave, report, isSilenceOurs), report.At) : before;
        }

        _known = known;
        var took = Math.Round(time.GetElapsedTime(began).TotalSeconds, 3);
        return new SweepSummary(pods.Count, reports.Count - silent, silent, pods.Count - reports.Count, took, Count(reports.Values));
    }

    private async Task<IReadOnlyDictionary<string, EnclaveReport>> AskAsync(List<LiveObject> pods, CancellationToken cancellation)
    {
        var reports = new ConcurrentDictionary<string, EnclaveReport>(StringComparer.Ordinal);
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            await Parallel.ForEachAsync(pods, new ParallelOptions { MaxDegreeOfParallelism = EnclaveStatuses.AtOnce, CancellationToken = either.Token }, async (pod, stopping) =>
            {
                if (await ask(pod, stopping) is { } report)
                    reports[pod.Uid] = report;
            });
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            LogLate(logger, pods.Count - reports.Count, pods.Count, Limit.TotalSeconds);
        }

        return reports;
    }

    private SweptEnclave Take(LiveObject pod, SweptEnclave before, EnclaveReport report, bool isSilenceOurs)
    {
        var now = before.After(HostContainer.Of(pod)?.RestartCount ?? 0, report, isSilenceOurs);
        // Gone, or replaced by one of the same name, while it was asked.
        if (stores.Pods.Get(pod.Key) is not { IsBeingDeleted: false } present || present.Uid != pod.Uid)
            return now;
        if (report.Status is not null || !isSilenceOurs)
            findings.Found(pod, now.Trouble(pod.Key, report, time.GetUtcNow()));
        if (report.Status is { } status && NedOf(pod) is { } ned)
        {
            foreach (var told in SweptEnclave.Between(pod.Key, before, now, status))
                events.Record(ned, "Warning", told.Reason, "HealthSweep", told.Note);
        }

        // Its deletion may have been seen between the two, and nothing would ever take back what was found.
        if (stores.Pods.Get(pod.Key)?.Uid != pod.Uid)
            findings.Found(pod, null);
        return now;
    }

    private LiveObject? NedOf(LiveObject pod) =>
        pod.TextAt("metadata", "labels", NedLabels.Deployment) is { } name ? stores.Neds.Get(new ObjectKey(pod.Key.Namespace, name)) : null;

    private bool IsToBeAsked(LiveObject pod) =>
        !pod.IsBeingDeleted && HostContainer.Of(pod) is { IsRunning: true } && NedOf(pod) is not null && stores.IsIgnored(pod.Key.Namespace) == false;

    private static Dictionary<string, int> Count(IEnumerable<EnclaveReport> reports) => reports
        .Select(report => report.Status is not { } status ? SilentState : EnclaveStatus.States.Contains(status.State, StringComparer.Ordinal) ? status.State! : OtherState)
        .CountBy(state => state, StringComparer.Ordinal)
        .OrderBy(state => state.Key, StringComparer.Ordinal)
        .ToDictionary(StringComparer.Ordinal);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Silent} of {Asked} EnclaveHosts give no answer, which is held against none of them: see that the Reconciler can reach port 8080 of enclave pods")]
    private static partial void LogDoubt(ILogger logger, int silent, int asked);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Left} of {All} EnclaveHosts were not asked within {Seconds} s; the next sweep begins with them")]
    private static partial void LogLate(ILogger logger, int left, int all, double seconds);
}
