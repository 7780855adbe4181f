using System.Net.Sockets;
using Enclaves.Channel;
using Enclaves.Channel.Transport;

namespace Enclaves.Orchestrator.Init;

/// <summary>
/// The handshake by which a Nitro Enclave tells its parent that it has booted: one byte to port 9000 of the parent, echoed back.
/// nitro-cli reports a failed boot without it.
/// </summary>
internal static class BootSignal
{
    private const uint Port = 9000;
    private const byte Heartbeat = 0xB7;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <exception cref="IOException">The parent does not answer as it should.</exception>
    public static async Task SendAsync(IGuestTransport transport)
    {
        using var timed = new CancellationTokenSource(Limit);
        using var socket = await transport.ConnectAsync(Port, timed.Token);
        var buffer = new[] { Heartbeat };
        await socket.SendAsync(buffer, SocketFlags.None, timed.Token);
        if (await socket.ReceiveAsync(buffer, SocketFlags.None, timed.Token) != 1 || buffer[0] != Heartbeat)
            throw new IOException($"boot signal: the parent (CID {EnclavePorts.NitroParentCid}, port {Port}) did not echo 0x{Heartbeat:x2}");
    }
}
