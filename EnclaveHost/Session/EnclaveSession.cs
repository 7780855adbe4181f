using System.Globalization;
using Enclaves.Channel;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Session;
using Enclaves.Channel.Transport;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Enclaves.EnclaveHost.Session;

/// <summary>
/// The calls of one session with the Orchestrator, each with a deadline. gRPC over the enclave's transport; connections are made anew
/// by the channel when one breaks.
/// </summary>
internal sealed class EnclaveSession : IDisposable
{
    private const uint ProtocolVersion = 1;

    // A log line has at most 16 KiB and a status at most 64 containers: whatever is bigger is not an Orchestrator's.
    private const int MaxMessageBytes = 1024 * 1024;

    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ManifestTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(5);

    private readonly GrpcChannel _channel;
    private readonly Orchestrator.OrchestratorClient _client;

    public EnclaveSession(IHostTransport transport)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTime,
            // Room for some batches of the log; with the usual 64 KiB a flood waits for each half of one.
            InitialHttp2StreamWindowSize = 1024 * 1024,
            // A guest that was frozen and comes back must find no backlog of dead connections.
            KeepAlivePingDelay = TimeSpan.FromSeconds(20),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = await transport.ConnectAsync(EnclavePorts.Control, cancellation);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        };
        _channel = GrpcChannel.ForAddress("http://orchestrator", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,
            // Boots and reconnects have their own back-off; the channel must not add a second one.
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(50),
            MaxReconnectBackoff = TimeSpan.FromMilliseconds(200),
        });
        _client = new Orchestrator.OrchestratorClient(_channel);
    }

    /// <summary>Greets the Orchestrator; the first call of every session.</summary>
    public async Task<HelloReply> HelloAsync(uint egressPort, string hostname, string logLevel, TimeProvider time, TimeSpan limit, CancellationToken cancellation)
    {
        var request = new HelloRequest
        {
            ProtocolVersion = ProtocolVersion,
            UnixTimeMilliseconds = time.GetUtcNow().ToUnixTimeMilliseconds(),
            EgressPort = egressPort,
            Hostname = hostname,
            LogLevel = logLevel,
        };
        var reply = await _client.HelloAsync(request, Options(limit, cancellation));
        if (reply.ProtocolVersion != ProtocolVersion)
            throw new SessionRefusedException(
                string.Create(CultureInfo.InvariantCulture, $"the enclave image speaks session version {reply.ProtocolVersion}, this program {ProtocolVersion}; use images of one release"));
        return reply;
    }

    /// <summary>Hands over registry credentials and values of Secrets, each time all of them.</summary>
    public async Task PutSecretsAsync(PutSecretsRequest request, CancellationToken cancellation) =>
        await _client.PutSecretsAsync(request, Options(CallTime, cancellation));

    /// <summary>Hands over the manifest; doing it again with the same one changes nothing.</summary>
    public async Task<PutManifestReply> PutManifestAsync(LoadedManifest manifest, CancellationToken cancellation)
    {
        using var call = _client.PutManifest(Options(ManifestTime, cancellation));
        try
        {
            for (var at = 0; at < manifest.Canonical.Length; at += ManifestLimits.ChunkBytes)
            {
                var length = Math.Min(ManifestLimits.ChunkBytes, manifest.Canonical.Length - at);
                var chunk = new ManifestChunk { Data = ByteString.CopyFrom(manifest.Canonical, at, length) };
                if (at == 0)
                    chunk.Digest = ByteString.CopyFrom(manifest.Digest);
                await call.RequestStream.WriteAsync(chunk, cancellation);
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or RpcException)
        {
            // The call was answered before it was sent whole; the answer, awaited below, says why.
        }

        var reply = await call.ResponseAsync;
        if (!reply.Digest.Span.SequenceEqual(manifest.Digest))
            throw new SessionRefusedException($"the enclave sealed another manifest ({Convert.ToHexStringLower(reply.Digest.Span)}) than this pod's ({manifest.DigestText})");
        return reply;
    }

    /// <summary>Asks whether all is well.</summary>
    public async Task<HealthReply> HealthAsync(TimeSpan limit, CancellationToken cancellation) =>
        await _client.HealthAsync(new HealthRequest(), Options(limit, cancellation));

    /// <summary>Status messages until the session breaks.</summary>
    public AsyncServerStreamingCall<EnclaveStatus> WatchStatus(CancellationToken cancellation) =>
        _client.WatchStatus(new WatchStatusRequest(), new CallOptions(cancellationToken: cancellation));

    /// <summary>Log records until the session breaks.</summary>
    public AsyncServerStreamingCall<LogBatch> StreamLogs(CancellationToken cancellation) =>
        _client.StreamLogs(new StreamLogsRequest(), new CallOptions(cancellationToken: cancellation));

    /// <summary>Stops the containers within the grace; returns when they are stopped.</summary>
    public async Task StopAsync(TimeSpan grace, CancellationToken cancellation) =>
        await _client.StopAsync(new StopRequest { GraceMilliseconds = (uint)grace.TotalMilliseconds }, Options(grace + TimeSpan.FromSeconds(1), cancellation));

    public void Dispose() => _channel.Dispose();

    private static CallOptions Options(TimeSpan limit, CancellationToken cancellation) =>
        new(deadline: DateTime.UtcNow + limit, cancellationToken: cancellation);
}

/// <summary>The Orchestrator will not have this, and another try would not change it.</summary>
internal sealed class SessionRefusedException(string message, Exception? inner = null) : Exception(message, inner);
