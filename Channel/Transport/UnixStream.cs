using System.Net.Sockets;

namespace Enclaves.Channel.Transport;

/// <summary>Connections to Unix sockets.</summary>
internal static class UnixStream
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(50);

    /// <summary>Connects. Where more wait to be accepted than the other side lets wait, it tries again until it is cancelled, as TCP would.</summary>
    public static async ValueTask<Socket> ConnectAsync(string path, CancellationToken cancellation)
    {
        for (var wait = FirstWait; ; wait = wait.Doubled(LongestWait))
        {
            try
            {
                return await TryConnectAsync(path, cancellation);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
            {
                // connect(2): EAGAIN, of Unix sockets alone.
                await Task.Delay(wait, cancellation);
            }
        }
    }

    private static async ValueTask<Socket> TryConnectAsync(string path, CancellationToken cancellation)
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
