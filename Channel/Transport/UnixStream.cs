using System.Net.Sockets;

namespace Enclaves.Channel.Transport;

/// <summary>Connections to Unix sockets.</summary>
internal static class UnixStream
{
    public static async ValueTask<Socket> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new SocketException((int)e.SocketErrorCode, $"connect to {path}: {e.Message}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
