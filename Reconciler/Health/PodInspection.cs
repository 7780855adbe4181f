using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Leadership;

namespace Enclaves.Reconciler.Health;

/// <summary>
/// Looks again and again at pods that are not ready and whose status does not say why: a few at a time, away from the passes over NEDs,
/// which only read what was found. Only the replica that works looks.
/// </summary>
internal sealed partial class PodInspection(
    PodFindings findings, PodLook look, TimeProvider time, ILogger<PodInspection> logger, LeaderElector? elector = null) : BackgroundService
{
    private const int AtOnce = 16;

    // The API server searches all events of a namespace for those of one pod.
    private const int EventLooksPerRound = 5;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await (elector?.Elected ?? Task.CompletedTask).WaitAsync(stoppingToken);
            using var timer = new PeriodicTimer(Round, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await LookAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is asked to stop; nothing here outlives it.
        }
    }

    private async Task LookAsync(CancellationToken cancellation)
    {
        var due = findings.Due();
        var round = due.Where(item => item.Kind == PodLookKind.Status).Concat(due.Where(item => item.Kind == PodLookKind.Events).Take(EventLooksPerRound));
        await Parallel.ForEachAsync(round, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation },
            async (item, stopping) => await LookAtAsync(item.Pod, item.Kind, stopping));
    }

    private async Task LookAtAsync(LiveObject pod, PodLookKind kind, CancellationToken cancellation)
    {
        try
        {
            findings.Found(pod, kind, await look.AtAsync(pod, kind, cancellation));
        }
        catch (EnclaveStatusException silent)
        {
            findings.Failed(pod, kind, silent.Message);
        }
        catch (Exception failure) when (ApiServer.IsFailure(failure))
        {
            LogPostponed(logger, pod.Key.ToString(), failure.Message);
            findings.Postpone(pod, kind);
        }
        catch (Exception defect) when (!cancellation.IsCancellationRequested)
        {
            // A defect met by one pod must not leave the others in the dark.
            LogDefect(logger, defect, pod.Key.ToString());
            findings.Postpone(pod, kind);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What keeps pod {Pod} from starting cannot be read and is looked at later: {Failure}")]
    private static partial void LogPostponed(ILogger logger, string pod, string failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "Looking at pod {Pod} met a defect of ours")]
    private static partial void LogDefect(ILogger logger, Exception defect, string pod);
}
