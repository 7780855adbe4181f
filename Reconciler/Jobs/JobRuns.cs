using System.Collections.Concurrent;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Jobs;

/// <summary>
/// Keeps a job from running beside itself: a run that begins while one is under way is left out, instead of waiting on a worker's thread until
/// there are no workers left. Thread-safe.
/// </summary>
internal sealed class JobRuns(JobClock clock)
{
    /// <summary>The result of a run that was left out.</summary>
    public const string LeftOut = "left out: the run before it is not over";

    private readonly ConcurrentDictionary<string, byte> _underWay = new(StringComparer.Ordinal);

    /// <summary>Runs a job unless it is running.</summary>
    /// <returns>What it returns, or <see cref="LeftOut"/>.</returns>
    public async Task<object> RunAsync(string job, Func<Task<object>> run)
    {
        if (!_underWay.TryAdd(job, 0))
            return LeftOut;
        clock.Began(job);
        try
        {
            var result = await run();
            clock.Succeeded(job);
            return result;
        }
        catch
        {
            clock.Failed(job);
            throw;
        }
        finally
        {
            _underWay.TryRemove(job, out _);
        }
    }
}
