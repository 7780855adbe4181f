using System.Net;
using System.Net.Sockets;

namespace Enclaves.Channel.Transport;

/// <summary>
/// A bound, listening socket of the channel. Where a peer CID is expected, connections from any other are closed unseen: host-side vsock
/// ports are shared by every enclave of a node. Disposing closes the socket and removes a Unix socket's file.
/// </summary>
public sealed class ChannelListener : IDisposable
{
    private const int Backlog = 512;

    private readonly Socket _socket;
    private readonly uint? _expectedCid;
    private readonly string? _file;

    private ChannelListener(Socket socket, EndPoint address, uint? expectedCid, string? file)
    {
        _socket = socket;
        Address = address;
        _expectedCid = expectedCid;
        _file = file;
    }

    /// <summary>Where it listens.</summary>
    public EndPoint Address { get; }

    /// <summary>Listens on AF_VSOCK for every local CID.</summary>
    /// <exception cref="SocketException">There is no vsock, or the port is taken.</exception>
    public static ChannelListener OnVsock(uint port, uint? expectedCid = null)
    {
        var address = new VsockEndPoint(VsockEndPoint.AnyCid, port);
        return Bind(VsockSocket.Create(), address, expectedCid, file: null);
    }

    /// <summary>Listens on a Unix socket; a file of that name left by an earlier process is replaced.</summary>
    /// <exception cref="SocketException">The directory is missing or not writable.</exception>
    public static ChannelListener OnUnixSocket(string path)
    {
        File.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        return Bind(socket, new UnixDomainSocketEndPoint(path), expectedCid: null, path);
    }

    /// <summary>Listens on TCP.</summary>
    /// <exception cref="SocketException">The address is not of this machine, or the port is taken.</exception>
    public static ChannelListener OnTcp(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        return Bind(socket, address, expectedCid: null, file: null);
    }

    /// <summary>Waits for the next connection.</summary>
    public async ValueTask<Socket> AcceptAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var accepted = await _socket.AcceptAsync(cancellation);
            if (_expectedCid is not { } cid || (accepted.RemoteEndPoint is VsockEndPoint peer && peer.Cid == cid))
                return accepted;
            accepted.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        if (_file is not null)
            File.Delete(_file);
    }

    private static ChannelListener Bind(Socket socket, EndPoint address, uint? expectedCid, string? file)
    {
        try
        {
            socket.Bind(address);
            socket.Listen(Backlog);
            return new ChannelListener(socket, (address is IPEndPoint ? socket.LocalEndPoint : null) ?? address, expectedCid, file);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new SocketException((int)e.SocketErrorCode, $"listen on {address}: {e.Message}");
        }
    }
}
