using System.Diagnostics;
using System.Globalization;
using Enclaves.Channel;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Session;
using Enclaves.Channel.Transport;
using Enclaves.Tests.EndToEnd;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Enclaves.Tests.Enclave.Harness;

/// <summary>An Orchestrator as a process, without a host: the test is the host.</summary>
internal sealed class EnclaveProcess : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<GrpcChannel> _connections = [];
    private readonly Process _process;

    private EnclaveProcess()
    {
        var start = new ProcessStartInfo(Programs.Orchestrator);
        start.Environment[ProcessTable.Marker] = Marker;
        foreach (var argument in (string[])["--listen", string.Create(CultureInfo.InvariantCulture, $"dir://{_folder.Path}:{EnclavePorts.Control}"), "--runtime", "process"])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
    }

    public string Marker { get; } = Guid.NewGuid().ToString("n");

    public bool HasEnded => _process.HasExited;

    public string Socket => Path.Combine(_folder.Path, string.Create(CultureInfo.InvariantCulture, $"guest_{EnclavePorts.Control}"));

    public static async Task<EnclaveProcess> StartAsync()
    {
        var enclave = new EnclaveProcess();
        await Eventually.Holds("the Orchestrator listens", TimeSpan.FromSeconds(30), () => Task.FromResult(File.Exists(enclave.Socket)));
        return enclave;
    }

    /// <summary>A connection of its own; has not greeted.</summary>
    public Channel.Session.Orchestrator.OrchestratorClient Connect()
    {
        var transport = HostTransport.For(ChannelEndpoint.Directory(_folder.Path, EnclavePorts.Control));
        var channel = GrpcChannel.ForAddress("http://enclave", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellation) => new System.Net.Sockets.NetworkStream(await transport.ConnectAsync(EnclavePorts.Control, cancellation), ownsSocket: true),
            },
            DisposeHttpClient = true,
        });
        _connections.Add(channel);
        return new Channel.Session.Orchestrator.OrchestratorClient(channel);
    }

    /// <summary>A connection of its own that has greeted.</summary>
    public async Task<Channel.Session.Orchestrator.OrchestratorClient> GreetAsync()
    {
        var client = Connect();
        await client.HelloAsync(Hello());
        return client;
    }

    public static HelloRequest Hello(long? unixMilliseconds = null) =>
        new() { ProtocolVersion = 1, Hostname = "test", UnixTimeMilliseconds = unixMilliseconds ?? DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() };

    /// <summary>Sends these bytes as a manifest, in chunks in the order that is given, or as they follow.</summary>
    public static async Task<PutManifestReply> PutAsync(Channel.Session.Orchestrator.OrchestratorClient client, byte[] bytes, Func<IEnumerable<byte[]>, IEnumerable<byte[]>>? order = null)
    {
        using var call = client.PutManifest();
        var chunks = bytes.Chunk(ManifestLimits.ChunkBytes);
        var first = true;
        try
        {
            foreach (var chunk in order is null ? chunks : order(chunks))
            {
                await call.RequestStream.WriteAsync(new ManifestChunk
                {
                    Digest = first ? ByteString.CopyFrom(ManifestCodec.Digest(bytes)) : ByteString.Empty,
                    Data = ByteString.CopyFrom(chunk),
                });
                first = false;
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or RpcException)
        {
            // It was answered before it was sent whole; the answer says why.
        }

        return await call.ResponseAsync;
    }

    public IReadOnlyList<TestProcess> Processes() => ProcessTable.Of(Marker);

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
            connection.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        await Eventually.Holds("no container is left", TimeSpan.FromSeconds(10), () => Task.FromResult(Processes().Count == 0),
            () => Task.FromResult(string.Join(", ", Processes())));
        _folder.Dispose();
    }
}
