using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using k8s;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// Passes bytes between a Reconciler and the API server without looking at them, so that TLS and HTTP/2 are those of a real cluster, and
/// can stop doing so without closing anything: what a lost route or a firewall that forgets a connection looks like from both ends.
/// </summary>
internal sealed class TcpLink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<Connection, bool> _connections = new();
    private readonly Uri _server = new(KubernetesClientConfiguration.BuildConfigFromConfigFile(DevelopmentCluster.KubeconfigPath).Host);
    private readonly Task _accepting;

    private TcpLink()
    {
        _listener.Start();
        _accepting = Accept();
    }

    public static TcpLink Open() => new();

    /// <summary>The administrator's kubeconfig, with this link as the server.</summary>
    public async Task<string> Kubeconfig()
    {
        var text = await File.ReadAllTextAsync(DevelopmentCluster.KubeconfigPath);
        // One of the names in the API server's certificate is 127.0.0.1.
        return text.Replace(_server.GetLeftPart(UriPartial.Authority), $"https://{_listener.LocalEndpoint}", StringComparison.Ordinal);
    }

    /// <summary>From now on nothing comes through the connections that are open, and none of them ends. New ones are as good as ever.</summary>
    public void StallOpenConnections()
    {
        foreach (var connection in _connections.Keys)
            connection.IsStalled = true;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        foreach (var connection in _connections.Keys)
            await connection.Relaying;
        _end.Dispose();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var connection = new Connection();
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                _connections[connection] = true;
                connection.Relaying = Relay(connection, client);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The link is closed.
        }
    }

    private async Task Relay(Connection connection, TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(_server.Host, _server.Port, _end.Token);
                await await Task.WhenAny(Copy(connection, client.GetStream(), server.GetStream()), Copy(connection, server.GetStream(), client.GetStream()));
            }
            catch (Exception broken) when (broken is IOException or SocketException or OperationCanceledException)
            {
                // Either end has gone, or the test has.
            }
        }
    }

    private async Task Copy(Connection connection, Stream from, Stream to)
    {
        var buffer = new byte[16 * 1024];
        for (int read; (read = await from.ReadAsync(buffer, _end.Token)) > 0;)
        {
            if (connection.IsStalled)
                await Task.Delay(Timeout.Infinite, _end.Token);
            await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }
    }

    private sealed class Connection
    {
        public volatile bool IsStalled;

        public Task Relaying { get; set; } = Task.CompletedTask;
    }
}
