using System.Net.Sockets;

namespace Enclaves.Channel.Transport;

/// <summary>
/// Connections that were asked for and given up before the device answered, kept open until it does or is gone. vhost-device-vsock writes its
/// answer when the guest accepts; where nobody is left to read it, it puts the guest's packet back and tries the same one again for ever
/// (process_tx_queue in its vhu_vsock_thread.rs). A guest that was frozen for a moment would never be heard again.
/// </summary>
internal sealed class UnansweredSockets
{
    // File descriptors that a dead guest may cost.
    private const int Most = 256;

    private int _count;

    /// <summary>How many are kept.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes a socket over and closes it in its time.</summary>
    public void Keep(Socket socket)
    {
        if (Interlocked.Increment(ref _count) > Most)
        {
            Interlocked.Decrement(ref _count);
            socket.Dispose();
            return;
        }

        _ = CloseOnceAnsweredAsync(socket);
    }

    private async Task CloseOnceAnsweredAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                await socket.ReceiveAsync(new byte[1]);
            }
            catch (SocketException)
            {
                // The device is gone, which is an answer too.
            }
        }

        Interlocked.Decrement(ref _count);
    }
}
