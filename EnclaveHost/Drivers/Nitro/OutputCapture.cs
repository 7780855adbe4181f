using System.Buffers;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>Keeps what a child writes up to a bound. What is beyond is read all the same, so that it never blocks the child.</summary>
internal sealed class OutputCapture(int maxBytes)
{
    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _kept = new();

    /// <summary>Whether there was more.</summary>
    public bool Overflowed { get; private set; }

    /// <summary>What was kept so far.</summary>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            lock (_gate)
                return _kept.WrittenMemory.ToArray();
        }
    }

    /// <summary>Reads until the child closes its end.</summary>
    public async Task FollowAsync(Stream stream)
    {
        var buffer = new byte[4096];
        while (await stream.ReadAsync(buffer) is var count and > 0)
        {
            lock (_gate)
            {
                var room = Math.Min(count, maxBytes - _kept.WrittenCount);
                _kept.Write(buffer.AsSpan(0, room));
                Overflowed |= room < count;
            }
        }
    }
}
