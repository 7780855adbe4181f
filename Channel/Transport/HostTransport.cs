using System.Globalization;
using System.Net.Sockets;

namespace Enclaves.Channel.Transport;

/// <summary>The channel as seen from the host: it calls ports of one enclave and serves host ports to that enclave only.</summary>
public interface IHostTransport
{
    /// <summary>Connects to a port of the enclave.</summary>
    /// <exception cref="SocketException">Nothing listens there, or the enclave is gone.</exception>
    ValueTask<Socket> ConnectAsync(uint guestPort, CancellationToken cancellation);

    /// <summary>
    /// Whether a connection made by <see cref="ConnectAsync"/> can end one direction and keep the other. Hybrid vsock cannot: the device
    /// ends the guest's whole connection as soon as the host's side shuts down its sending.
    /// </summary>
    bool HalfCloses { get; }

    /// <summary>Listens on a host port for connections of this enclave.</summary>
    ChannelListener Listen(uint hostPort);
}

/// <summary>Makes the host's transport of an endpoint.</summary>
public static class HostTransport
{
    /// <summary>The transport of this scheme; a vsock endpoint names the enclave's CID.</summary>
    public static IHostTransport For(ChannelEndpoint endpoint) => endpoint.Scheme switch
    {
        ChannelScheme.Vsock => new VsockHostTransport(endpoint.Cid),
        ChannelScheme.Hybrid => new HybridHostTransport(endpoint.Path),
        _ => new DirectoryHostTransport(endpoint.Path),
    };
}

internal sealed class VsockHostTransport(uint cid) : IHostTransport
{
    public bool HalfCloses => true;

    public async ValueTask<Socket> ConnectAsync(uint guestPort, CancellationToken cancellation)
    {
        var socket = VsockSocket.Create();
        try
        {
            await socket.ConnectAsync(VsockEndPoint.Target(cid, guestPort), cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public ChannelListener Listen(uint hostPort) => ChannelListener.OnVsock(hostPort, cid);
}

internal sealed class HybridHostTransport(string path) : IHostTransport
{
    private readonly UnansweredSockets _unanswered = new();

    public bool HalfCloses => false;

    public async ValueTask<Socket> ConnectAsync(uint guestPort, CancellationToken cancellation)
    {
        var socket = await UnixStream.ConnectAsync(path, cancellation);
        try
        {
            await HybridVsock.RequestPortAsync(socket, guestPort, cancellation);
            return socket;
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            _unanswered.Keep(socket);
            throw;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public ChannelListener Listen(uint hostPort) =>
        ChannelListener.OnUnixSocket(string.Create(CultureInfo.InvariantCulture, $"{path}_{hostPort}"));
}

internal sealed class DirectoryHostTransport(string directory) : IHostTransport
{
    public bool HalfCloses => true;

    public ValueTask<Socket> ConnectAsync(uint guestPort, CancellationToken cancellation) =>
        UnixStream.ConnectAsync(Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"guest_{guestPort}")), cancellation);

    public ChannelListener Listen(uint hostPort) =>
        ChannelListener.OnUnixSocket(Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"host_{hostPort}")));
}
