using Enclaves.Channel.Manifest;
using Enclaves.Channel.Session;
using Enclaves.Channel;
using Enclaves.Orchestrator.Containers;
using Enclaves.Orchestrator.Init;
using Enclaves.Orchestrator.Logs;
using Enclaves.Orchestrator.Nsm;
using Enclaves.Orchestrator.Secrets;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;

namespace Enclaves.Orchestrator.Session;

/// <summary>The session with EnclaveHost, which is not trusted: every answer to it is bounded, and every refusal says what to change.</summary>
internal sealed partial class OrchestratorService(
    EnclaveSupervisor supervisor,
    ManifestSeal seal,
    SessionFacts facts,
    Credentials credentials,
    SecretStore secrets,
    StatusReport report,
    StatusChanges changes,
    LogBuffer logs,
    Shutdown shutdown,
    TimeProvider time,
    ILogger<OrchestratorService> logger) : global::Enclaves.Channel.Session.Orchestrator.OrchestratorBase
{
    private const uint ProtocolVersion = 1;
    private const int MaxCredentials = 256;
    private const int MaxHostnameBytes = 64;
    private static readonly TimeSpan LongestGrace = TimeSpan.FromHours(1);
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(10);

    // A change after a calm is told at once, one after the other ever less often: a container that flaps must not make a flood of the stream.
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    private static readonly object GreetedKey = new();

    private readonly ILogger<OrchestratorService> _logger = logger;

    public override Task<HelloReply> Hello(HelloRequest request, ServerCallContext context)
    {
        if (request.ProtocolVersion != ProtocolVersion)
            throw Refuse(StatusCode.FailedPrecondition, $"protocol version {request.ProtocolVersion} is not known, {ProtocolVersion} is");
        if (request.RequiredFeatures.Count > 0)
            throw Refuse(StatusCode.FailedPrecondition, $"required features are not known: {string.Join(", ", request.RequiredFeatures.Take(16))}");
        if (request.Hostname.Length > MaxHostnameBytes || !request.Hostname.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.'))
            throw Refuse(StatusCode.InvalidArgument, $"hostname '{request.Hostname}' is not one of at most {MaxHostnameBytes} characters");
        try
        {
            facts.Apply(TimeOf(request), request.Hostname, request.EgressPort, request.LogLevel);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw Refuse(StatusCode.InvalidArgument, e.Message);
        }

        MarkGreeted(Connection(context));
        LogGreeted(request.Hostname, request.EgressPort);
        return Task.FromResult(new HelloReply
        {
            ProtocolVersion = ProtocolVersion,
            OrchestratorVersion = typeof(OrchestratorService).Assembly.GetName().Version?.ToString(3) ?? "",
            KernelRelease = InitSystem.KernelRelease(),
            BootId = InitSystem.BootId(),
            ManifestDigest = ByteString.CopyFrom(seal.Digest),
        });
    }

    public override async Task<PutManifestReply> PutManifest(IAsyncStreamReader<ManifestChunk> requestStream, ServerCallContext context)
    {
        RequireGreeting(context);
        var (digest, bytes) = await ManifestReceiver.ReadAsync(requestStream, context.CancellationToken);
        SealResult result;
        EnclaveManifest? manifest;
        try
        {
            result = seal.Offer(bytes, digest, out manifest);
        }
        catch (ManifestException e)
        {
            LogManifestRefused(e.Message);
            throw Refuse(StatusCode.InvalidArgument, e.Message);
        }
        catch (NsmException e)
        {
            // A register that may be half written is never tried again: only another enclave has a fresh one.
            shutdown.Fail($"the manifest cannot be measured: {e.Message}");
            throw Refuse(StatusCode.Internal, $"the manifest cannot be measured: {e.Message}");
        }

        if (result == SealResult.Different)
        {
            var mine = Convert.ToHexStringLower(seal.Digest);
            LogManifestRefused($"the enclave runs {mine} already");
            throw Refuse(StatusCode.AlreadyExists, $"the enclave runs the manifest {mine} for its whole life; start another enclave for this one");
        }

        if (manifest is not null)
        {
            LogSealed(Convert.ToHexStringLower(digest), seal.IsSimulated ? " (simulated)" : "");
            supervisor.Start(manifest);
        }

        return new PutManifestReply
        {
            Digest = ByteString.CopyFrom(seal.Digest),
            Pcr16 = ByteString.CopyFrom(seal.Register),
            Simulated = seal.IsSimulated,
        };
    }

    public override Task<PutSecretsReply> PutSecrets(PutSecretsRequest request, ServerCallContext context)
    {
        RequireGreeting(context);
        if (request.RegistryCredentials.Count > MaxCredentials)
            throw Refuse(StatusCode.ResourceExhausted, $"{request.RegistryCredentials.Count} registry credentials, allowed are {MaxCredentials}");
        var logins = new Dictionary<string, RegistryLogin>(StringComparer.Ordinal);
        foreach (var credential in request.RegistryCredentials)
            logins[credential.Registry] = new RegistryLogin(credential.Username, credential.Password);
        var size = request.Secrets.Sum(secret => secret.Name.Length + secret.Data.Sum(entry => (long)entry.Key.Length + entry.Value.Length));
        if (size > ManifestLimits.MaxSecretBytes)
            throw Refuse(StatusCode.ResourceExhausted, $"Secrets of {size} bytes, allowed are {ManifestLimits.MaxSecretBytes}");
        var values = new Dictionary<string, IReadOnlyDictionary<string, byte[]>>(StringComparer.Ordinal);
        foreach (var secret in request.Secrets)
        {
            // The keys become file names.
            if (secret.Data.Keys.FirstOrDefault(key => !ManifestCodec.IsSecretKey(key)) is not null)
                throw Refuse(StatusCode.InvalidArgument, "a key of a Secret is not of letters, digits, '-', '_' and '.' alone");
            values[secret.Name] = secret.Data.ToDictionary(entry => entry.Key, entry => entry.Value.ToByteArray(), StringComparer.Ordinal);
        }

        credentials.Replace(logins);
        secrets.Replace(values);
        LogSecrets(logins.Count, values.Count);
        return Task.FromResult(new PutSecretsReply());
    }

    public override async Task WatchStatus(WatchStatusRequest request, IServerStreamWriter<EnclaveStatus> responseStream, ServerCallContext context)
    {
        RequireGreeting(context);
        var cancellation = context.CancellationToken;
        var pause = ShortestPause;
        while (!cancellation.IsCancellationRequested)
        {
            var changed = changes.Next;
            await responseStream.WriteAsync(report.Status(), cancellation);
            var told = time.GetTimestamp();
            await Task.WhenAny(changed, Task.Delay(SignOfLife, time, cancellation));
            var longer = pause.Doubled(LongestPause);
            pause = time.GetElapsedTime(told) > Calm ? ShortestPause : longer;
            await Task.Delay(pause, time, cancellation);
        }
    }

    public override Task<HealthReply> Health(HealthRequest request, ServerCallContext context) => Task.FromResult(report.Health());

    public override async Task StreamLogs(StreamLogsRequest request, IServerStreamWriter<LogBatch> responseStream, ServerCallContext context)
    {
        RequireGreeting(context);
        await foreach (var chunk in logs.ReadAsync(context.CancellationToken))
        {
            var batch = new LogBatch { FirstSequence = chunk.First, Entries = UnsafeByteOperations.UnsafeWrap(chunk.Frames) };
            batch.Sources.AddRange(chunk.Sources.Select(source => new LogBatch.Types.Source { Container = source.Container, Stream = source.Stream }));
            await responseStream.WriteAsync(batch, context.CancellationToken);
        }
    }

    public override async Task<StopReply> Stop(StopRequest request, ServerCallContext context)
    {
        RequireGreeting(context);
        var grace = TimeSpan.FromMilliseconds(request.GraceMilliseconds);
        if (grace > LongestGrace)
            throw Refuse(StatusCode.InvalidArgument, $"a grace period of {grace}, allowed is {LongestGrace}");
        LogStop(grace.TotalSeconds);
        // Goes on also when the host hangs up: a half stopped enclave is of use to nobody.
        try
        {
            await supervisor.StopAsync(grace, CancellationToken.None);
        }
        finally
        {
            shutdown.Request("the host asked for it");
        }

        return new StopReply();
    }

    /// <summary>Notes that a connection has greeted, which every other call on it asks for.</summary>
    internal static void MarkGreeted(IConnectionItemsFeature connection) => connection.Items[GreetedKey] = true;

    private static DateTimeOffset TimeOf(HelloRequest request)
    {
        try
        {
            return DateTimeOffset.FromUnixTimeMilliseconds(request.UnixTimeMilliseconds);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw Refuse(StatusCode.InvalidArgument, $"{request.UnixTimeMilliseconds} ms is not a time");
        }
    }

    // A session is a connection: what was agreed on one says nothing about the next.
    private static IConnectionItemsFeature Connection(ServerCallContext context) =>
        context.GetHttpContext().Features.Get<IConnectionItemsFeature>()!;

    private static void RequireGreeting(ServerCallContext context)
    {
        if (!Connection(context).Items.ContainsKey(GreetedKey))
            throw Refuse(StatusCode.FailedPrecondition, "Hello has not been called on this connection");
    }

    private static RpcException Refuse(StatusCode code, string problem) => new(new Status(code, problem));

    [LoggerMessage(1, LogLevel.Information, "session begun, hostname {Hostname}, egress port {EgressPort}")]
    private partial void LogGreeted(string hostname, uint egressPort);

    [LoggerMessage(2, LogLevel.Information, "manifest {Digest} measured{How} and sealed")]
    private partial void LogSealed(string digest, string how);

    [LoggerMessage(3, LogLevel.Warning, "manifest refused: {Problem}")]
    private partial void LogManifestRefused(string problem);

    [LoggerMessage(4, LogLevel.Information, "{Credentials} registry credentials and {Secrets} Secrets taken over")]
    private partial void LogSecrets(int credentials, int secrets);

    [LoggerMessage(5, LogLevel.Information, "stop asked for, grace period {Seconds} s")]
    private partial void LogStop(double seconds);
}
