namespace Enclaves.Reconciler.Leadership;

/// <summary>
/// Lets writes through only while this replica is the leader for certain. It is asked before each write, by a clock that no adjustment
/// moves: a process that was frozen past its lease finds it closed at its next write, whatever it was about to do. Between the look and
/// the write's arrival no fence of a client's can help; that is what uids and resource versions in the writes are for.
/// </summary>
internal sealed class WriteFence(TimeProvider time)
{
    private long _closesAt = long.MaxValue;

    /// <summary>Whether a write may be sent now.</summary>
    public bool IsOpen => time.GetTimestamp() < Volatile.Read(ref _closesAt);

    /// <summary>Open for this long, counted from a moment of the same clock; replaces what was said before.</summary>
    public void OpenFor(long from, TimeSpan duration) =>
        Volatile.Write(ref _closesAt, from + (long)(duration.TotalSeconds * time.TimestampFrequency));

    /// <summary>Lets nothing through.</summary>
    public void Close() => Volatile.Write(ref _closesAt, long.MinValue);

    /// <summary>Passes, or tells that another replica may be the leader by now.</summary>
    /// <exception cref="NotLeaderException">The fence is closed.</exception>
    public void Require(string what)
    {
        if (!IsOpen)
            throw new NotLeaderException($"{what}: not sent, another replica may be the leader by now");
    }
}

/// <summary>This replica is not, or no longer for certain, the leader.</summary>
internal sealed class NotLeaderException(string message) : Exception(message);
