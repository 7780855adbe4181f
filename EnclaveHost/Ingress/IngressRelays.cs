using System.Net;
using System.Net.Sockets;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Relay;
using Enclaves.Channel.Transport;
using Enclaves.EnclaveHost.Lifecycle;

namespace Enclaves.EnclaveHost.Ingress;

/// <summary>
/// One listener for each exposed port, which relays to the port of the same number in the enclave, while it is Running and while an enclave
/// that was is being stopped. When the enclave turns unhealthy or is gone its connections are broken: taking a pod out of the endpoints
/// does not end what is open.
/// </summary>
internal sealed class IngressRelays : IAsyncDisposable
{
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(5);

    private readonly List<RelayServer> _servers = [];
    private readonly IHostTransport _transport;
    private readonly EnclaveStateMachine _state;
    private volatile bool _serves;

    private IngressRelays(IHostTransport transport, EnclaveStateMachine state)
    {
        _transport = transport;
        _state = state;
    }

    /// <summary>The relays, for their names and counters.</summary>
    public IReadOnlyList<RelayServer> Servers => _servers;

    /// <summary>Whether connections are relayed.</summary>
    public bool Serves => _serves;

    /// <summary>Listens on every ingress port of the manifest.</summary>
    /// <exception cref="SocketException">A port is taken; names it.</exception>
    public static async Task<IngressRelays> OpenAsync(
        EnclaveManifest manifest, IPAddress bind, IHostTransport transport, EnclaveStateMachine state, ILogger logger)
    {
        var relays = new IngressRelays(transport, state);
        try
        {
            foreach (var container in manifest.Containers)
            {
                foreach (var port in container.Ports)
                {
                    if (port.IngressPort is { } number)
                        relays.Add($"ingress:{container.Name}:{port.ContainerPort}", new IPEndPoint(bind, number), logger);
                }
            }
        }
        catch
        {
            await relays.DisposeAsync();
            throw;
        }

        state.Moved += relays.OnMoved;
        return relays;
    }

    /// <summary>Accepts no more and waits until the open connections have ended, at most the limit; then breaks the rest.</summary>
    public Task DrainAsync(TimeSpan limit, CancellationToken cancellation) =>
        Task.WhenAll(_servers.Select(server => server.DrainAsync(limit, cancellation)));

    public async ValueTask DisposeAsync()
    {
        _state.Moved -= OnMoved;
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    private void Add(string name, IPEndPoint address, ILogger logger) =>
        _servers.Add(new RelayServer(
            name, ChannelListener.OnTcp(address), RelayDirection.Ingress,
            (_, cancellation) => DialAsync((uint)address.Port, cancellation), logger, halfCloses: _transport.HalfCloses));

    private async ValueTask<Socket> DialAsync(uint port, CancellationToken cancellation)
    {
        if (!_serves)
            throw new RelayRefusedException($"the enclave is {_state.State}, not Running");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(ConnectTime);
        try
        {
            return await _transport.ConnectAsync(port, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"the enclave did not take the connection within {ConnectTime.TotalSeconds} s");
        }
    }

    private void OnMoved(Transition move)
    {
        // A stop goes on as it was, and drains; everything else that leaves Running breaks.
        if (move.To == EnclaveState.Stopping)
            return;
        _serves = move.To == EnclaveState.Running;
        if (_serves)
            return;
        foreach (var server in _servers)
            server.CloseConnections();
    }
}
