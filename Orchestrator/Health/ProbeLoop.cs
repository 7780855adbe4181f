using System.Globalization;
using System.Runtime.CompilerServices;
using Enclaves.Channel;

namespace Enclaves.Orchestrator.Health;

/// <summary>Looks at one run of a container as its plan says.</summary>
internal sealed class ProbeLoop(ProbePlan plan, IProbeAsk ask, TimeProvider time)
{
    // A look that took longer than its limit by this much was not served by a machine that was on time itself: a starved or paused enclave
    // must not condemn what runs in it. Not for ever, though: what is late ten times in a row is not there for its users either.
    private static readonly TimeSpan OwnDelay = TimeSpan.FromMilliseconds(500);
    private const int MostLate = 10;

    private int _late;

    /// <summary>Each look, and whether there were enough of its kind in a row to count. Ends with the token's exception.</summary>
    public async IAsyncEnumerable<(ProbeResult Result, bool Counts)> LooksAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var counter = new ProbeCounter(plan.SuccessThreshold, plan.FailureThreshold);
        await Task.Delay(plan.FirstLook, time, cancellation);
        var retry = plan.FirstRetry;
        while (true)
        {
            var began = time.GetTimestamp();
            var result = await LookAsync(began, cancellation);
            yield return (result, counter.Add(result.Outcome));
            var wait = plan.Period - time.GetElapsedTime(began);
            if (plan.FirstRetry > TimeSpan.Zero && result.Outcome != ProbeOutcome.Success)
            {
                wait = retry;
                retry = retry.Doubled(plan.LongestRetry);
            }

            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, time, cancellation);
        }
    }

    private async Task<ProbeResult> LookAsync(long began, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(plan.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        ProbeResult result;
        try
        {
            result = await ask.AskAsync(plan.Timeout, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            result = ProbeResult.Failure(string.Create(CultureInfo.InvariantCulture, $"no answer within {plan.Timeout.TotalSeconds} s"));
        }

        var isLate = result.Outcome == ProbeOutcome.Failure && time.GetElapsedTime(began) > plan.Timeout + OwnDelay;
        _late = isLate ? _late + 1 : 0;
        return isLate && _late <= MostLate ? ProbeResult.Unknown("the enclave itself was late, and the look does not count") : result;
    }
}
