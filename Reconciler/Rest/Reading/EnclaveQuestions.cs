using System.Collections.Concurrent;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Health;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>
/// Asks EnclaveHosts how their enclaves are, for whoever waits for it: in a few seconds whatever they do, and with few enough questions at a time that the
/// sweep has most places to itself. Thread-safe.
/// </summary>
internal sealed class EnclaveQuestions(EnclaveStatuses statuses, TimeProvider time) : IDisposable
{
    private const int AtOnce = EnclaveStatuses.AtOnce / 4;
    private const int AtOnceOfOne = AtOnce / 2;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _room = new(AtOnce);

    /// <summary>
    /// What they say, by the uid of their pod; of those for which there was no time, what they said the last time. There is none for a pod that cannot be asked.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, EnclaveReport>> AskAsync(IReadOnlyList<LiveObject> pods, CancellationToken cancellation)
    {
        var reports = new ConcurrentDictionary<string, EnclaveReport?>(StringComparer.Ordinal);
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            await Parallel.ForEachAsync(pods, new ParallelOptions { MaxDegreeOfParallelism = AtOnceOfOne, CancellationToken = either.Token }, async (pod, stopping) =>
            {
                await _room.WaitAsync(stopping);
                reports[pod.Uid] = await QuestionAsync(pod).WaitAsync(stopping);
            });
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            var late = new EnclaveReport(time.GetUtcNow(), null, $"there was no time to ask it: others took the {Limit.TotalSeconds} s that there are; ask again");
            foreach (var pod in pods)
                reports.TryAdd(pod.Uid, statuses.Last(pod) ?? late);
        }

        return reports.Where(report => report.Value is not null).ToDictionary(report => report.Key, report => report.Value!, StringComparer.Ordinal);
    }

    /// <inheritdoc />
    public void Dispose() => _room.Dispose();

    // It goes on when nobody waits for it any more, and keeps its place until then.
    private async Task<EnclaveReport?> QuestionAsync(LiveObject pod)
    {
        try
        {
            return await statuses.AskAsync(pod, CancellationToken.None);
        }
        finally
        {
            _room.Release();
        }
    }
}
