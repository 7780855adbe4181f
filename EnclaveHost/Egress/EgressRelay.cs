using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Enclaves.Channel;
using Enclaves.Channel.Egress;
using Enclaves.Channel.Relay;
using Enclaves.EnclaveHost.Drivers;

namespace Enclaves.EnclaveHost.Egress;

/// <summary>
/// The enclave's only way out: takes its connections, lets through what the manifest allows, resolves the name here and connects to the
/// very address that was checked. A refusal is answered with its sentence, logged, and counted by container.
/// </summary>
internal sealed class EgressRelay : IAsyncDisposable
{
    /// <summary>For a look-up. With the connects that follow it is below the guest's limit for an answer, so that it hears the reason.</summary>
    public static readonly TimeSpan ResolveTime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(10);

    // The guest waits 30 s for the answer to its handshake: there is time to resolve and to try this many.
    private const int MaxAddresses = 2;
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    // What is not a container of the manifest is counted under one name: the enclave must not choose how many counters there are.
    private const string Unknown = "unknown";

    private readonly EgressPolicy _policy;
    private readonly DestinationGuard _guard;
    private readonly HostResolver _resolver;
    private readonly HashSet<string> _containers;
    private readonly ConcurrentDictionary<string, long> _refused = new(StringComparer.Ordinal);
    private readonly RelayServer _server;

    /// <summary>Listens at once.</summary>
    /// <exception cref="SocketException">The run folder is not writable.</exception>
    public EgressRelay(IEnclaveDriver driver, Channel.Manifest.EnclaveManifest manifest, DestinationGuard guard, HostResolver resolver, ILogger logger)
    {
        _policy = new EgressPolicy(manifest);
        _guard = guard;
        _resolver = resolver;
        _containers = [EgressRequest.ImagePull, .. manifest.Containers.Select(c => c.Name)];
        _server = new RelayServer(
            "egress", driver.Transport.Listen(EnclavePorts.Egress(driver.Cid)), RelayDirection.Egress, DialAsync, logger, halfCloses: driver.Transport.HalfCloses);
    }

    /// <summary>The relay, for its name and counters.</summary>
    public RelayServer Server => _server;

    /// <summary>Refusals by container.</summary>
    public IReadOnlyDictionary<string, long> Refused => _refused;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async ValueTask<Socket> DialAsync(Socket accepted, CancellationToken cancellation)
    {
        EgressRequest request;
        try
        {
            request = await EgressHandshake.ReadRequestAsync(accepted, cancellation);
        }
        catch (InvalidDataException e)
        {
            throw await RefuseAsync(accepted, Unknown, e.Message, cancellation);
        }

        if (_policy.WhyNot(request) is { } reason)
            throw await RefuseAsync(accepted, request.Container, reason, cancellation);
        var destination = await ConnectAsync(accepted, request, cancellation);
        try
        {
            await EgressHandshake.AcceptAsync(accepted, cancellation);
            return destination;
        }
        catch
        {
            destination.Dispose();
            throw;
        }
    }

    private async Task<Socket> ConnectAsync(Socket accepted, EgressRequest request, CancellationToken cancellation)
    {
        var problem = NotFound(request.Host);
        foreach (var address in (await AddressesAsync(accepted, request, cancellation)).Take(MaxAddresses))
        {
            if (_guard.WhyNot(address) is { } reason)
            {
                var name = IPAddress.TryParse(request.Host, out _) ? "" : $"{request.Host}: ";
                problem = $"{name}{reason}; the chart's value enclave.allowDestinations could let it through";
                continue;
            }

            try
            {
                // Connected by address: a second look-up could answer with another one than was checked.
                return await ConnectAsync(new IPEndPoint(address, request.Port), cancellation);
            }
            catch (Exception e) when (e is SocketException or TimeoutException)
            {
                problem = string.Create(CultureInfo.InvariantCulture, $"{request.Host}:{request.Port} at {address}: {e.Message}");
            }
        }

        throw await RefuseAsync(accepted, request.Container, problem, cancellation);
    }

    // The system's own words for a name without an address say that a resource is unavailable, and not which.
    private async Task<IReadOnlyList<IPAddress>> AddressesAsync(Socket accepted, EgressRequest request, CancellationToken cancellation)
    {
        try
        {
            return await _resolver.ResolveAsync(request.Host, cancellation);
        }
        catch (SocketException)
        {
            throw await RefuseAsync(accepted, request.Container, NotFound(request.Host), cancellation);
        }
        catch (TimeoutException e)
        {
            throw await RefuseAsync(accepted, request.Container, $"{request.Host}: {e.Message}; see that the pod's DNS answers", cancellation);
        }
    }

    private static string NotFound(string host) => $"the pod's DNS knows no address of {host}; see that the name is right, and that the cluster resolves it";

    private static async Task<Socket> ConnectAsync(IPEndPoint address, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(ConnectTime);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, limit.Token);
            return socket;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException($"no connection within {ConnectTime.TotalSeconds} s");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<RelayRefusedException> RefuseAsync(Socket accepted, string container, string reason, CancellationToken cancellation)
    {
        var name = _containers.Contains(container) ? container : Unknown;
        _refused.AddOrUpdate(name, 1, (_, count) => count + 1);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerTime);
        await EgressHandshake.RefuseAsync(accepted, reason, limit.Token);
        return new RelayRefusedException($"container {name}: {reason}");
    }
}
