using System.Globalization;
using System.Net.Sockets;

namespace Enclaves.Channel.Transport;

/// <summary>The channel as seen from inside the enclave: it serves guest ports and calls host ports.</summary>
public interface IGuestTransport
{
    /// <summary>Listens on a port of the enclave.</summary>
    ChannelListener Listen(uint port);

    /// <summary>
    /// Whether a connection can end one direction and keep the other. Not behind hybrid vsock, which a guest cannot tell from a vsock that
    /// can; so only a Nitro Enclave is taken to have it.
    /// </summary>
    bool HalfCloses { get; }

    /// <summary>Connects to a port of the host.</summary>
    /// <exception cref="SocketException">Nothing listens there.</exception>
    ValueTask<Socket> ConnectAsync(uint hostPort, CancellationToken cancellation);
}

/// <summary>Makes the guest's transport of an endpoint.</summary>
public static class GuestTransport
{
    /// <summary>The transport of this scheme; hybrid vsock has no guest side of its own, its guest speaks vsock.</summary>
    /// <exception cref="NotSupportedException">The endpoint is a hybrid vsock socket.</exception>
    public static IGuestTransport For(ChannelEndpoint endpoint) => endpoint.Scheme switch
    {
        ChannelScheme.Vsock => new VsockGuestTransport(),
        ChannelScheme.Directory => new DirectoryGuestTransport(endpoint.Path),
        _ => throw new NotSupportedException($"endpoint '{endpoint}': a guest listens on vsock://any:<port> or dir:///<directory>:<port>"),
    };
}

internal sealed class VsockGuestTransport : IGuestTransport
{
    private static readonly bool IsNitro = File.Exists("/dev/nsm");

    public bool HalfCloses => IsNitro;

    public ChannelListener Listen(uint port) => ChannelListener.OnVsock(port);

    public async ValueTask<Socket> ConnectAsync(uint hostPort, CancellationToken cancellation)
    {
        var socket = VsockSocket.Create();
        try
        {
            // A Nitro Enclave's parent is CID 3, every other hypervisor's host is CID 2.
            var cid = IsNitro ? EnclavePorts.NitroParentCid : EnclavePorts.HostCid;
            await socket.ConnectAsync(VsockEndPoint.Target(cid, hostPort), cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

internal sealed class DirectoryGuestTransport(string directory) : IGuestTransport
{
    public bool HalfCloses => true;

    public ChannelListener Listen(uint port) =>
        ChannelListener.OnUnixSocket(Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"guest_{port}")));

    public ValueTask<Socket> ConnectAsync(uint hostPort, CancellationToken cancellation) =>
        UnixStream.ConnectAsync(Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"host_{hostPort}")), cancellation);
}
