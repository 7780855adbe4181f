using System.Net;
using System.Net.Sockets;

namespace Enclaves.Orchestrator.Health;

/// <summary>Succeeds when every one of the ports takes a connection over the loopback.</summary>
internal sealed class TcpAsk(IReadOnlyList<int> ports) : IProbeAsk
{
    public async Task<ProbeResult> AskAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        foreach (var port in ports)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellation);
            }
            catch (SocketException e)
            {
                return ProbeResult.Failure($"port {port}: {e.Message}");
            }
        }

        return ProbeResult.Success;
    }
}
