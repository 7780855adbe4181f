using System.Net.Sockets;
using Enclaves.Channel.Transport;
using Microsoft.Extensions.Logging;

namespace Enclaves.Channel.Relay;

/// <summary>Which side of the enclave the accepted connections come from.</summary>
public enum RelayDirection
{
    /// <summary>The accepted side is outside, the dialled one inside.</summary>
    Ingress,

    /// <summary>The accepted side is inside, the dialled one outside.</summary>
    Egress,
}

/// <summary>Makes the other half of an accepted connection. It may use the accepted socket for a handshake first.</summary>
/// <exception cref="RelayRefusedException">The connection is not to be relayed; its message is logged.</exception>
public delegate ValueTask<Socket> RelayDial(Socket accepted, CancellationToken cancellation);

/// <summary>A connection that a <see cref="RelayDial"/> does not want; counted and logged, not an error of the program.</summary>
public sealed class RelayRefusedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Accepts connections of one listener, dials the other side of each and relays. At most <c>maxOpen</c> connections are open at a time.
/// Of ingress, more wait in the kernel's queue. Of egress, more are refused: the vsock device of a virtual machine connects for the guest
/// and would wait with all that it carries. It owns the listener.
/// </summary>
public sealed partial class RelayServer : IAsyncDisposable
{
    private static readonly TimeSpan AcceptBackOff = TimeSpan.FromMilliseconds(200);

    private readonly ChannelListener _listener;
    private readonly RelayDial _dial;
    private readonly RelayDirection _direction;
    private readonly SemaphoreSlim _room;
    private readonly int _maxOpen;
    private readonly bool _halfCloses;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopAccepting = new();
    private readonly Task _accepting;
    private bool _saidFull;
    private CancellationTokenSource _connections = new();

    /// <summary>Starts accepting. See <see cref="SocketRelay"/> for <paramref name="halfCloses"/>.</summary>
    public RelayServer(
        string name,
        ChannelListener listener,
        RelayDirection direction,
        RelayDial dial,
        ILogger logger,
        int maxOpen = 16 * 1024,
        bool halfCloses = true)
    {
        Name = name;
        _listener = listener;
        _direction = direction;
        _dial = dial;
        _logger = logger;
        _maxOpen = maxOpen;
        _halfCloses = halfCloses;
        _room = new SemaphoreSlim(maxOpen, maxOpen);
        _accepting = Task.Run(AcceptLoopAsync);
    }

    /// <summary>Name of the relay in logs, metrics and the status.</summary>
    public string Name { get; }

    /// <summary>What it has done so far.</summary>
    public RelayCounters Counters { get; } = new();

    /// <summary>Breaks every open connection; new ones are accepted as before.</summary>
    public void CloseConnections()
    {
        // Not disposed: a connection being accepted may be about to take its token, and without a timer there is nothing to free.
        Interlocked.Exchange(ref _connections, new CancellationTokenSource()).Cancel();
    }

    /// <summary>Accepts no more and waits until the open connections have ended, at most <paramref name="limit"/>; then breaks the rest.</summary>
    public async Task DrainAsync(TimeSpan limit, CancellationToken cancellation)
    {
        await StopAcceptingAsync();
        for (var i = 0; i < _maxOpen; i++)
        {
            var deadline = System.Diagnostics.Stopwatch.GetTimestamp();
            if (limit <= TimeSpan.Zero || !await _room.WaitAsync(limit, cancellation))
                break;
            limit -= System.Diagnostics.Stopwatch.GetElapsedTime(deadline);
        }

        CloseConnections();
    }

    /// <summary>Accepts no more and breaks every open connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAcceptingAsync();
        CloseConnections();
    }

    private async Task StopAcceptingAsync()
    {
        await _stopAccepting.CancelAsync();
        await _accepting;
        _listener.Dispose();
    }

    private async Task AcceptLoopAsync()
    {
        while (!_stopAccepting.IsCancellationRequested)
        {
            try
            {
                if (await AcceptAsync() is { } accepted)
                    _ = ServeAsync(accepted, _connections.Token);
            }
            catch (OperationCanceledException) when (_stopAccepting.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors, or a peer that left while it waited: neither may end the relay, nor spin it.
                LogAcceptFailed(Name, e.Message);
                await Task.Delay(AcceptBackOff);
            }
        }
    }

    // With room for it taken; null when there was none.
    private async Task<Socket?> AcceptAsync()
    {
        if (_direction == RelayDirection.Egress)
        {
            var connection = await _listener.AcceptAsync(_stopAccepting.Token);
            if (_room.Wait(0))
            {
                _saidFull = false;
                return connection;
            }

            Counters.Refuse();
            connection.Dispose();
            // Once until there is room again: who has taken all of it may go on asking.
            if (!_saidFull)
                LogRefused(Name, $"{_maxOpen} are open already");
            _saidFull = true;
            return null;
        }

        await _room.WaitAsync(_stopAccepting.Token);
        try
        {
            return await _listener.AcceptAsync(_stopAccepting.Token);
        }
        catch
        {
            _room.Release();
            throw;
        }
    }

    private async Task ServeAsync(Socket accepted, CancellationToken cancellation)
    {
        try
        {
            await Task.Yield();
            var dialled = await DialAsync(accepted, cancellation);
            if (dialled is null)
                return;
            var (outside, inside) = _direction == RelayDirection.Ingress ? (accepted, dialled) : (dialled, accepted);
            await SocketRelay.RunAsync(outside, inside, _direction, Counters, _halfCloses, cancellation);
        }
        catch (Exception e)
        {
            LogFailed(e, Name);
        }
        finally
        {
            accepted.Dispose();
            _room.Release();
        }
    }

    private async ValueTask<Socket?> DialAsync(Socket accepted, CancellationToken cancellation)
    {
        try
        {
            return await _dial(accepted, cancellation);
        }
        catch (Exception e) when (e is RelayRefusedException or SocketException or IOException or InvalidDataException or TimeoutException or OperationCanceledException)
        {
            Counters.Refuse();
            LogRefused(Name, e.Message);
            return null;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "relay {Relay}: refused a connection: {Reason}")]
    private partial void LogRefused(string relay, string reason);

    [LoggerMessage(2, LogLevel.Warning, "relay {Relay}: cannot accept: {Reason}")]
    private partial void LogAcceptFailed(string relay, string reason);

    [LoggerMessage(3, LogLevel.Error, "relay {Relay}: a connection failed unexpectedly")]
    private partial void LogFailed(Exception e, string relay);
}
