using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Enclaves.Channel.Egress;
using Enclaves.Channel.Relay;
using Enclaves.Channel.Transport;
using Enclaves.Orchestrator.Init;

namespace Enclaves.Orchestrator.Egress;

/// <summary>
/// Serves the destinations of an <see cref="EgressPlan"/>: a listener for each, whose connections go to the host with the name they stand
/// for. The host checks the name again; inside, nothing else leads anywhere.
/// </summary>
/// <param name="transport">The way to the host.</param>
/// <param name="egressPort">The host's egress port as of the latest session; 0 while there is none.</param>
/// <param name="logger">The Orchestrator's log.</param>
internal sealed partial class EgressRelays(IGuestTransport transport, Func<uint> egressPort, ILogger<EgressRelays> logger)
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(10);

    private readonly ILogger<EgressRelays> _logger = logger;

    /// <summary>Writes the hosts file, adds addresses and starts listening.</summary>
    /// <param name="plan">What to serve.</param>
    /// <param name="hostsFile">/etc/hosts in an enclave of its own.</param>
    /// <param name="ownsNetwork">False where the machine's loopback interface belongs to others: literal addresses are then not served.</param>
    /// <exception cref="IOException">Names the address that could not be added or the file that could not be written.</exception>
    /// <exception cref="SocketException">Names the address that could not be listened on.</exception>
    public List<RelayServer> Start(EgressPlan plan, string hostsFile, bool ownsNetwork)
    {
        File.WriteAllText(hostsFile, plan.HostsFile());
        var relays = new List<RelayServer>();
        var added = new HashSet<IPAddress>();
        foreach (var destination in plan.Destinations)
        {
            if (destination.IsLiteral && !ownsNetwork)
            {
                LogNotServed(destination.Host, destination.Port);
                continue;
            }

            if (destination.IsLiteral && added.Add(destination.Address))
                Loopback.Add(destination.Address);
            var name = string.Create(CultureInfo.InvariantCulture, $"egress:{destination.Host}:{destination.Port}");
            var listener = ChannelListener.OnTcp(new IPEndPoint(destination.Address, destination.Port));
            relays.Add(new RelayServer(
                name, listener, RelayDirection.Egress, (_, cancellation) => DialAsync(destination, cancellation), _logger,
                halfCloses: transport.HalfCloses));
        }

        return relays;
    }

    private async ValueTask<Socket> DialAsync(EgressDestination destination, CancellationToken cancellation)
    {
        if (destination.Type is { } type)
            throw new RelayRefusedException($"container {destination.Container}: {OutboundType.WhyRefused(destination.Host, destination.Port, type)}");
        var port = egressPort();
        if (port == 0)
            throw new RelayRefusedException("the host has given no egress port");
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timed.CancelAfter(ConnectLimit);
        var socket = await transport.ConnectAsync(port, timed.Token);
        try
        {
            await EgressHandshake.RequestAsync(
                socket, new EgressRequest(destination.Host, destination.Port, destination.Container), cancellation);
            return socket;
        }
        catch (EgressRefusedException e)
        {
            socket.Dispose();
            throw new RelayRefusedException($"the host says: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "egress to {Host}:{Port} is not served: a literal address needs an enclave with a network of its own; use a host name")]
    private partial void LogNotServed(string host, int port);
}
