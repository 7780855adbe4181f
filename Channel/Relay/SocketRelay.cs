using System.Net.Sockets;

namespace Enclaves.Channel.Relay;

/// <summary>
/// Relays bytes between two connected stream sockets until both directions have ended. One direction's end is passed on as a half-close,
/// a broken connection as a reset where the other side is TCP, so that a truncated stream never looks complete. A side that does not read
/// stops the other from being read: nothing is buffered but one write. An idle connection holds no buffer and no thread.
/// </summary>
/// <remarks>
/// Hybrid vsock has no half-close: the device drops what the guest says once the host's side has shut down its sending, and does not tell
/// the host when the guest has. There, who dialled decides: the server's end, behind which nothing is to be expected, ends the transport's
/// connection as a whole; the client's end is kept back until the server has ended too, for a client that has asked may still be reading.
/// A connection of which one side has ended looks like one whose other side is gone, so from then on silence has a limit; before, TCP's
/// keep-alive finds a peer that has vanished.
/// </remarks>
public static class SocketRelay
{
    // How long a connection of which one side has ended may stay without a byte: by the transport's half-close, and without one.
    private static readonly TimeSpan HalfClosedIdleLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan OneSidedIdleLimit = TimeSpan.FromSeconds(15);

    // A peer that says nothing is asked after a minute, and given up a minute later.
    private const int KeepAliveSeconds = 60;
    private const int KeepAliveProbeSeconds = 10;
    private const int KeepAliveProbes = 6;

    /// <summary>Relays and then closes both sockets. Returns normally also when a side breaks: that is a connection's everyday end.</summary>
    /// <param name="outside">The side away from the enclave's containers.</param>
    /// <param name="inside">The side towards them.</param>
    /// <param name="direction">Which of them is the client: outside for ingress, inside for egress.</param>
    /// <param name="counters">Counts the connection and its bytes.</param>
    /// <param name="halfCloses">False where the channel's transport cannot end one direction and keep the other.</param>
    /// <param name="cancellation">Breaks both connections at once.</param>
    public static async Task RunAsync(
        Socket outside, Socket inside, RelayDirection direction, RelayCounters counters, bool halfCloses, CancellationToken cancellation)
    {
        var ingress = direction == RelayDirection.Ingress;
        var (client, server) = ingress ? (outside, inside) : (inside, outside);
        Action<int> countAsked = ingress ? counters.AddIn : counters.AddOut;
        Action<int> countAnswered = ingress ? counters.AddOut : counters.AddIn;
        counters.Opened();
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var idleLimit = halfCloses ? HalfClosedIdleLimit : OneSidedIdleLimit;
        var oneHasEnded = false;
        var (clientHasAll, serverHasAll) = (false, false);
        try
        {
            KeepAlive(outside);
            KeepAlive(inside);
            await Task.WhenAll(
                PumpAsync(client, server, bytes => Moved(bytes, countAsked), EndOfClient, broken),
                PumpAsync(server, client, bytes => Moved(bytes, countAnswered), EndOfServer, broken));
        }
        finally
        {
            // Whoever was told of the end has everything, though the kernel may still be about to deliver it.
            if (broken.IsCancellationRequested && !clientHasAll)
                ResetOnClose(client);
            if (broken.IsCancellationRequested && !serverHasAll)
                ResetOnClose(server);

            outside.Dispose();
            inside.Dispose();
            counters.Closed();
        }

        void EndOfClient()
        {
            // A transport without half-close that has ended has ended as a whole: nobody is there to read an answer.
            if (halfCloses || !IsTcp(client))
            {
                server.Shutdown(SocketShutdown.Send);
                serverHasAll = true;
            }

            OneHasEnded();
        }

        void EndOfServer()
        {
            // A TCP client gets the end as such; on the transport only the end of both directions is passed on.
            client.Shutdown(halfCloses || IsTcp(client) ? SocketShutdown.Send : SocketShutdown.Both);
            clientHasAll = true;
            OneHasEnded();
        }

        void OneHasEnded()
        {
            Volatile.Write(ref oneHasEnded, true);
            broken.CancelAfter(idleLimit);
        }

        void Moved(int bytes, Action<int> count)
        {
            count(bytes);
            if (Volatile.Read(ref oneHasEnded))
                broken.CancelAfter(idleLimit);
        }
    }

    private static async Task PumpAsync(Socket from, Socket to, Action<int> count, Action end, CancellationTokenSource broken)
    {
        try
        {
            await new BytePump(from, to, count).RunAsync(broken.Token);
            end();
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            await broken.CancelAsync();
        }
    }

    private static bool IsTcp(Socket socket) => socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;

    private static void KeepAlive(Socket socket)
    {
        if (!IsTcp(socket))
            return;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveProbeSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
    }

    private static void ResetOnClose(Socket socket)
    {
        if (!IsTcp(socket))
            return;
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (SocketException)
        {
            // The kernel has torn the connection down already: there is nobody left to tell.
        }
    }
}
