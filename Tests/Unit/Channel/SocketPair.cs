using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Enclaves.Tests.Unit.Channel;

/// <summary>Two ends of a connection: TCP over the loopback interface, or a Unix socket.</summary>
internal sealed class SocketPair : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private SocketPair(Socket near, Socket far)
    {
        Near = near;
        Far = far;
    }

    public Socket Near { get; }

    public Socket Far { get; }

    public static async Task<SocketPair> ConnectAsync(bool unix = false)
    {
        var (family, protocol) = unix ? (AddressFamily.Unix, ProtocolType.Unspecified) : (AddressFamily.InterNetwork, ProtocolType.Tcp);
        using var listener = new Socket(family, SocketType.Stream, protocol);
        // A name that starts with a zero byte is abstract: there is no file to remove.
        listener.Bind(unix ? new UnixDomainSocketEndPoint($"\0pair-{Guid.NewGuid():n}") : new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var near = new Socket(family, SocketType.Stream, protocol);
        var accepting = listener.AcceptAsync();
        await near.ConnectAsync(listener.LocalEndPoint!);
        return new SocketPair(near, await accepting);
    }

    public static async Task SendAsync(Socket socket, string text)
    {
        using var timed = new CancellationTokenSource(Limit);
        await socket.SendAsync(Encoding.ASCII.GetBytes(text), timed.Token);
    }

    /// <summary>Everything until the other side has ended.</summary>
    public static async Task<string> ReadToEndAsync(Socket socket)
    {
        using var timed = new CancellationTokenSource(Limit);
        var text = new StringBuilder();
        var buffer = new byte[4096];
        for (var n = await socket.ReceiveAsync(buffer, timed.Token); n > 0; n = await socket.ReceiveAsync(buffer, timed.Token))
            text.Append(Encoding.ASCII.GetString(buffer, 0, n));
        return text.ToString();
    }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }
}
