namespace Enclaves.Tests.Cluster.Chaos;

/// <summary>Breaks, at random, what goes between a Reconciler and the API server. Calls about the lease are spared: the kills are for that.</summary>
internal sealed class ChaosFaults
{
    private const double ShareRefused = 0.03;
    private const double ShareLost = 0.01;
    private static readonly int[] Refusals = [409, 429, 500];

    private readonly Random _random;
    private int _made;

    public ChaosFaults(ApiProxy proxy, int seed)
    {
#pragma warning disable CA5394 // Any seed will do; nothing here is a secret.
        _random = new Random(seed);
#pragma warning restore CA5394
        proxy.Answer = what => IsHit(what, ShareRefused) ? Refusals[Next(Refusals.Length)] : null;
        proxy.LosesReply = what => IsHit(what, ShareLost);
    }

    /// <summary>How many there were.</summary>
    public int Made => Volatile.Read(ref _made);

    /// <summary>While false, nothing is broken.</summary>
    public volatile bool IsOn = true;

    /// <summary>Counts one that somebody else has made.</summary>
    public void Add() => Interlocked.Increment(ref _made);

    private bool IsHit(string what, double share)
    {
        if (!IsOn || what.Contains("/leases", StringComparison.Ordinal))
            return false;
        lock (_random)
        {
            if (_random.NextDouble() >= share)
                return false;
        }

        Add();
        return true;
    }

    private int Next(int below)
    {
        lock (_random)
            return _random.Next(below);
    }
}
