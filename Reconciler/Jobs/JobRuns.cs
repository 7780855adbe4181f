using System.Collections.Concurrent;

namespace Enclaves.Reconciler.Jobs;

/// <summary>How the last run of a job that was not left out ended.</summary>
/// <param name="Began">When it began.</param>
/// <param name="Took">How long it took.</param>
/// <param name="Failure">Why it failed, or null.</param>
/// <param name="LastSuccess">When a run of it last ended well, or null.</param>
internal sealed record JobRun(DateTimeOffset Began, TimeSpan Took, string? Failure, DateTimeOffset? LastSuccess);

/// <summary>
/// Keeps a job from running beside itself: a run that begins while one is under way is left out, instead of waiting on a worker's thread until
/// there are no workers left. Remembers how each ended. Thread-safe.
/// </summary>
internal sealed class JobRuns(TimeProvider time)
{
    /// <summary>The result of a run that was left out.</summary>
    public const string LeftOut = "left out: the run before it is not over";

    private readonly ConcurrentDictionary<string, byte> _underWay = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, JobRun> _last = new(StringComparer.Ordinal);

    /// <summary>The last run of each job, by its name.</summary>
    public IReadOnlyDictionary<string, JobRun> Last => _last;

    /// <summary>Runs a job unless it is running.</summary>
    /// <returns>What it returns, or <see cref="LeftOut"/>.</returns>
    public async Task<object> RunAsync(string job, Func<Task<object>> run)
    {
        if (!_underWay.TryAdd(job, 0))
            return LeftOut;
        var (began, stamp) = (time.GetUtcNow(), time.GetTimestamp());
        var before = _last.GetValueOrDefault(job)?.LastSuccess;
        try
        {
            var result = await run();
            _last[job] = new JobRun(began, time.GetElapsedTime(stamp), null, time.GetUtcNow());
            return result;
        }
        catch (Exception failure)
        {
            _last[job] = new JobRun(began, time.GetElapsedTime(stamp), failure.Message, before);
            throw;
        }
        finally
        {
            _underWay.TryRemove(job, out _);
        }
    }
}
