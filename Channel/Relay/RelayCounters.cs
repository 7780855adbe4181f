namespace Enclaves.Channel.Relay;

/// <summary>What a relay has done; safe to read and write from any thread. In is into the enclave, out is out of it.</summary>
public sealed class RelayCounters
{
    private long _open;
    private long _total;
    private long _bytesIn;
    private long _bytesOut;
    private long _refused;

    /// <summary>Connections relayed now.</summary>
    public long Open => Interlocked.Read(ref _open);

    /// <summary>Connections relayed since the start.</summary>
    public long Total => Interlocked.Read(ref _total);

    /// <summary>Bytes that went into the enclave.</summary>
    public long BytesIn => Interlocked.Read(ref _bytesIn);

    /// <summary>Bytes that came out of the enclave.</summary>
    public long BytesOut => Interlocked.Read(ref _bytesOut);

    /// <summary>Connections accepted and closed without relaying: not allowed, or nothing answered on the other side.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Counts a refusal.</summary>
    public void Refuse() => Interlocked.Increment(ref _refused);

    internal void Opened()
    {
        Interlocked.Increment(ref _open);
        Interlocked.Increment(ref _total);
    }

    internal void Closed() => Interlocked.Decrement(ref _open);

    internal void AddIn(int bytes) => Interlocked.Add(ref _bytesIn, bytes);

    internal void AddOut(int bytes) => Interlocked.Add(ref _bytesOut, bytes);
}
