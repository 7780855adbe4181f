using System.Net;
using System.Text;
using Enclaves.Channel.Egress;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Session;
using Enclaves.Channel.Transport;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Enclaves.Tests.Unit.Boundary;

/// <summary>
/// Mutated messages to every call of the session that changes something, and mutated lines to the readers of the other handshakes. What may
/// come of a message is a refusal with a status of the contract; of a line, its reader's exception.
/// </summary>
internal sealed class SessionFuzz(SessionParts parts)
{
    private static readonly StatusCode[] Refusals =
        [StatusCode.InvalidArgument, StatusCode.ResourceExhausted, StatusCode.AlreadyExists, StatusCode.FailedPrecondition];

    private static readonly string[] Lines =
    [
        "CONNECT x.example 443 app", "CONNECT 2001:db8::1 65535 image-pull", "vsock://16:7000", "vsock://any:1", "uds:///run/vsock.sock:7000", "dir:///run/enclave:7000",
        "cdn.example", "cdn.example:5000", "[2001:db8::1]:443", "2001:db8::1", "1.2.3.4:1",
    ];

    private readonly byte[][] _messages =
    [
        new HelloRequest { ProtocolVersion = 1, UnixTimeMilliseconds = 1_800_000_000_000, EgressPort = 1_048_832, Hostname = "hello-0" }.ToByteArray(),
        new HelloRequest { ProtocolVersion = 2, RequiredFeatures = { "later" } }.ToByteArray(),
        new ManifestChunk { Digest = ByteString.CopyFrom(ManifestCodec.Digest(parts.Sealed)), Data = ByteString.CopyFrom(parts.Sealed) }.ToByteArray(),
        new ManifestChunk { Digest = ByteString.CopyFrom(new byte[48]), Data = ByteString.CopyFrom(ManifestCodec.Write(ManifestFuzz.Everything())) }.ToByteArray(),
        new PutSecretsRequest
        {
            RegistryCredentials = { new RegistryCredential { Registry = "registry.example", Username = "user", Password = "word" } },
            Secrets = { new SecretValues { Name = "db", Data = { ["password"] = ByteString.CopyFromUtf8("hush"), ["user"] = ByteString.Empty } } },
        }.ToByteArray(),
    ];

    /// <summary>Runs one case, which is the same whenever and wherever it is run.</summary>
    /// <returns>What came of it; a failure says how to run it again.</returns>
    public (string Outcome, string? Failure) Run(int seed, int number)
    {
        var random = new Random(FuzzSeed.Of(seed, number));
        try
        {
            return (random.Next(4) == 0 ? Line(random) : Message(random), null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ("failed", $"seed {seed}, session case {number}: {e}");
        }
    }

    private string Message(Random random)
    {
        var kind = random.Next(_messages.Length);
        var bytes = WireMutator.Mutate(_messages[kind], random);
        // One in eight has not greeted.
        var context = new Context(isGreeted: random.Next(8) > 0);
        try
        {
            Task call = kind switch
            {
                0 or 1 => parts.Service.Hello(HelloRequest.Parser.ParseFrom(bytes), context),
                2 or 3 => parts.Service.PutManifest(new Chunks(bytes, WireMutator.Mutate(_messages[2], random)), context),
                _ => parts.Service.PutSecrets(PutSecretsRequest.Parser.ParseFrom(bytes), context),
            };
            // Nothing of it waits.
            call.GetAwaiter().GetResult();
            return "answered";
        }
        catch (InvalidProtocolBufferException)
        {
            return "not a message";
        }
        catch (RpcException e) when (Refusals.Contains(e.StatusCode) && e.Status.Detail.Length > 0)
        {
            return "refused";
        }
    }

    private static string Line(Random random)
    {
        var kind = random.Next(Lines.Length);
        var line = Encoding.Latin1.GetString(WireMutator.Mutate(Encoding.ASCII.GetBytes(Lines[kind]), random));
        try
        {
            if (kind < 2)
                Same(EgressRequest.Parse(line), line);
            else if (kind < 6)
                _ = ChannelEndpoint.Parse(ChannelEndpoint.Parse(line).ToString());
            else if (RegistryAddress.TryParse(line, out var address) && (address.Port is < 1 or > 65535 || address.Host.Length == 0))
                throw new InvalidOperationException($"'{line}' was read as {address}");
            return "read";
        }
        catch (Exception e) when (e is InvalidDataException or FormatException)
        {
            return "no such line";
        }
    }

    // A port may have zeroes before it; everything else is written as it was read.
    private static void Same(EgressRequest request, string line)
    {
        if (request.Format() != $"CONNECT {request.Host} {request.Port} {request.Container}\n" || line.Split(' ')[1] != request.Host || line.Contains('\0'))
            throw new InvalidOperationException($"'{line}' was read as {request}");
    }

    /// <summary>Chunks as they come from the wire, each parsed when it is asked for.</summary>
    private sealed class Chunks(params byte[][] messages) : IAsyncStreamReader<ManifestChunk>
    {
        private int _next;

        public ManifestChunk Current { get; private set; } = new();

        public Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (_next == messages.Length)
                return Task.FromResult(false);
            Current = ManifestChunk.Parser.ParseFrom(messages[_next++]);
            return Task.FromResult(true);
        }
    }

    /// <summary>A call on a connection of its own.</summary>
    private sealed class Context : ServerCallContext
    {
        private readonly DefaultHttpContext _http = new();
        private readonly Dictionary<object, object> _state;

        public Context(bool isGreeted)
        {
            var connection = new Connection();
            _http.Features.Set<IConnectionItemsFeature>(connection);
            _state = new Dictionary<object, object> { ["__HttpContext"] = _http };
            if (isGreeted)
                Enclaves.Orchestrator.Session.OrchestratorService.MarkGreeted(connection);
        }

        protected override string MethodCore => "fuzz";

        protected override string HostCore => "fuzz";

        protected override string PeerCore => "fuzz";

        protected override DateTime DeadlineCore => DateTime.MaxValue;

        protected override Metadata RequestHeadersCore { get; } = [];

        protected override CancellationToken CancellationTokenCore => CancellationToken.None;

        protected override Metadata ResponseTrailersCore { get; } = [];

        protected override Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore { get; } = new(null, []);

        protected override IDictionary<object, object> UserStateCore => _state;

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;

        private sealed class Connection : IConnectionItemsFeature
        {
            public IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();
        }
    }
}
