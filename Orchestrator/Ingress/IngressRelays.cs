using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Relay;
using Enclaves.Channel.Transport;

namespace Enclaves.Orchestrator.Ingress;

/// <summary>
/// Leads the host's connections on each ingress port to the container port it belongs to. Where there is a container of role auth they go to
/// its proxy port first, but for those to itself; what it lets pass it hands on over the loopback, and no other way leads past it.
/// </summary>
internal static class IngressRelays
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    /// <summary>Starts listening.</summary>
    /// <exception cref="SocketException">Names the port that is taken.</exception>
    public static List<RelayServer> Start(EnclaveManifest manifest, IGuestTransport transport, ILogger logger)
    {
        var relays = new List<RelayServer>();
        var auth = manifest.Containers.FirstOrDefault(container => container.Role == ContainerRole.Auth);
        foreach (var container in manifest.Containers)
        {
            foreach (var port in container.Ports)
            {
                if (port.IngressPort is not { } ingress)
                    continue;
                var name = string.Create(CultureInfo.InvariantCulture, $"ingress:{container.Name}:{port.ContainerPort}");
                var target = new IPEndPoint(IPAddress.Loopback, container == auth ? port.ContainerPort : auth?.ProxyPort ?? port.ContainerPort);
                relays.Add(new RelayServer(
                    name, transport.Listen((uint)ingress), RelayDirection.Ingress, (_, cancellation) => DialAsync(target, cancellation), logger,
                    halfCloses: transport.HalfCloses));
            }
        }

        return relays;
    }

    private static async ValueTask<Socket> DialAsync(IPEndPoint target, CancellationToken cancellation)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timed.CancelAfter(ConnectLimit);
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target, timed.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
