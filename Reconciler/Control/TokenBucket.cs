namespace Enclaves.Reconciler.Control;

/// <summary>
/// Limits a rate: holds up to a number of tokens, gains so many a second, and is asked for one before each act. Safe from any thread.
/// </summary>
internal sealed class TokenBucket(TimeProvider time, double perSecond, int burst)
{
    private readonly Lock _lock = new();
    private double _tokens = burst;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Takes a token now, if need be one that is yet to come: the act is then due after the delay that is returned.</summary>
    public TimeSpan Reserve()
    {
        lock (_lock)
        {
            Fill();
            _tokens--;
            return UntilTokens(0);
        }
    }

    /// <summary>Takes a token if there is one, and returns zero; else takes nothing and returns how long it is until there is one.</summary>
    public TimeSpan TryTake()
    {
        lock (_lock)
        {
            Fill();
            if (UntilTokens(1) is var wait && wait > TimeSpan.Zero)
                return wait;
            _tokens--;
            return TimeSpan.Zero;
        }
    }

    private void Fill()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(burst, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
        _filledAt = now;
    }

    // Rounded up to what a timer can count, so that whoever has waited for it finds the token; what is less than that is rounding.
    private TimeSpan UntilTokens(int wanted) => TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(((wanted - _tokens) / perSecond * 1000) - 1e-6)));
}
