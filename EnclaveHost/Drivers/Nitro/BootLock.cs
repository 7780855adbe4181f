using Enclaves.Channel;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>
/// One boot at a time on a node: nitro-cli listens on vsock port 9000 of the parent while it boots an enclave, so a second one at the same time
/// fails (E36).
/// </summary>
internal sealed partial class BootLock(INodePorts ports, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(200);

    /// <summary>For the boots of all the other enclaves of a node, each of which may take nitro-cli's whole minute.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Waits for it; held until the result is disposed, or this process ends.</summary>
    /// <exception cref="NitroException">It was not to be had within the limit.</exception>
    public async Task<IDisposable> TakeAsync(CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var isWaiting = false;
        while (true)
        {
            if (ports.TryTake(EnclavePorts.BootLock) is { } held)
                return held;
            if (!isWaiting)
                LogWaiting((int)Limit.TotalSeconds);
            isWaiting = true;
            if (time.GetElapsedTime(started) > Limit)
                throw new NitroException(
                    $"other enclaves of the node were being booted for {Limit.TotalSeconds} s without a pause; to mend it: see what their pods' logs say");
            // Not all at the same time, when many pods start with their node.
            await Task.Delay(BetweenTries * (0.75 + (Random.Shared.NextDouble() / 2)), time, cancellation);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information,
        Message = "another enclave of the node is being booted; this one waits for it, for at most {Seconds} s")]
    private partial void LogWaiting(int seconds);
}
