namespace Enclaves.Reconciler.Control;

/// <summary>
/// Delays that double from a first one to a last one, with jitter so that many who failed at the same moment do not come back at the same
/// moment: each delay is between half of its step and the whole of it.
/// </summary>
internal sealed class BackOff(TimeSpan first, TimeSpan last, Func<double>? random = null)
{
    private readonly Func<double> _random = random ?? Random.Shared.NextDouble;

    /// <summary>The delay after this number of failures in a row, counted from 0.</summary>
    public TimeSpan Delay(int failures)
    {
        // Far fewer doublings than would overflow reach any sensible limit.
        var step = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 40)), last.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(step * (0.5 + (_random() / 2)));
    }
}
