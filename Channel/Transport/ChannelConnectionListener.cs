using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Enclaves.Channel.Transport;

/// <summary>What Kestrel is told to listen on: a listener of the channel that is bound already.</summary>
public sealed class ChannelListenEndPoint : EndPoint
{
    /// <summary>Wraps the listener; Kestrel disposes it with the server.</summary>
    public ChannelListenEndPoint(ChannelListener listener) => Listener = listener;

    /// <summary>The bound listener.</summary>
    public ChannelListener Listener { get; }

    /// <inheritdoc/>
    public override string ToString() => Listener.Address.ToString() ?? "";
}

/// <summary>Puts Kestrel on a <see cref="ChannelListener"/>; register it as <see cref="IConnectionListenerFactory"/>.</summary>
public sealed class ChannelConnectionListenerFactory(ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is ChannelListenEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(new ChannelConnectionListener((ChannelListenEndPoint)endpoint, loggers));
}

/// <summary>
/// Accepts for Kestrel, which takes an error of its listener for the end of it and would never accept again: so none reaches it but the end.
/// </summary>
internal sealed partial class ChannelConnectionListener : IConnectionListener
{
    private static readonly TimeSpan AcceptBackOff = TimeSpan.FromMilliseconds(200);

    private readonly ILogger _logger;
    private readonly ChannelListener _listener;
    private readonly SocketConnectionContextFactory _connections;
    private readonly CancellationTokenSource _unbound = new();

    public ChannelConnectionListener(ChannelListenEndPoint endpoint, ILoggerFactory loggers)
    {
        EndPoint = endpoint;
        _listener = endpoint.Listener;
        _logger = loggers.CreateLogger<ChannelConnectionListener>();
        _connections = new SocketConnectionContextFactory(
            new SocketConnectionFactoryOptions(), loggers.CreateLogger<SocketConnectionContextFactory>());
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _unbound.Token);
        while (true)
        {
            try
            {
                return _connections.Create(await _listener.AcceptAsync(either.Token));
            }
            catch (OperationCanceledException) when (_unbound.IsCancellationRequested)
            {
                return null;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // The peer went away while its connection waited in the queue; the next one is unaffected.
            }
            catch (SocketException e) when (!_unbound.IsCancellationRequested)
            {
                // Out of descriptors or memory: it passes.
                LogAcceptFailed(EndPoint, e.Message);
                await Task.Delay(AcceptBackOff, cancellationToken);
            }
        }
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await _unbound.CancelAsync();
        _listener.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _connections.Dispose();
        _unbound.Dispose();
        return ValueTask.CompletedTask;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Address}: cannot accept a connection: {Reason}")]
    private partial void LogAcceptFailed(EndPoint address, string reason);
}
