using System.Globalization;
using System.Net.Sockets;

namespace Enclaves.Channel.Transport;

/// <summary>The handshake of hybrid vsock, by which a host process asks for a port of the guest.</summary>
internal static class HybridVsock
{
    // "OK 4294967295\n", with room for a sentence of an implementation that answers with more.
    private const int MaxReplyBytes = 128;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <exception cref="SocketException">The guest does not listen on the port.</exception>
    /// <exception cref="TimeoutException">No answer within 10 s.</exception>
    public static async ValueTask RequestPortAsync(Socket socket, uint port, CancellationToken cancellation)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timed.CancelAfter(Limit);
        try
        {
            await BoundedLine.WriteAsync(socket, string.Create(CultureInfo.InvariantCulture, $"CONNECT {port}\n"), timed.Token);
            var reply = await BoundedLine.ReadAsync(socket, MaxReplyBytes, $"hybrid vsock, port {port}", timed.Token);
            if (!reply.StartsWith("OK ", StringComparison.Ordinal))
                throw new SocketException((int)SocketError.ConnectionRefused, $"hybrid vsock, port {port}: the answer is '{reply}'");
        }
        catch (InvalidDataException e)
        {
            // The device closes the connection when nothing in the guest listens on the port.
            throw new SocketException((int)SocketError.ConnectionRefused, e.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"hybrid vsock, port {port}: no answer within {Limit.TotalSeconds} s");
        }
    }
}
