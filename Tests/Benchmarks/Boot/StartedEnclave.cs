using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.Benchmarks.Reconcile;
using Enclaves.Tests.Enclave.Harness;

namespace Enclaves.Tests.Benchmarks.Boot;

/// <summary>EnclaveHost with the process driver and a manifest of one container with a port, from its start until it is ready.</summary>
internal sealed class StartedEnclave : IAsyncDisposable
{
    // Ingress ports have a range of their own.
    private static readonly FreePorts Ingress = new(20500, 20999);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(2);
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly TemporaryFolder _folder;
    private readonly Uri _url;
    private readonly int _ingress;

    private StartedEnclave(TemporaryFolder folder, Uri url, int ingress, Daemon host) => (_folder, _url, _ingress, Host) = (folder, url, ingress, host);

    /// <summary>Its process.</summary>
    public Daemon Host { get; }

    /// <summary>Port of its one ingress.</summary>
    public int IngressPort => _ingress;

    /// <summary>The Unix socket that stands for this port inside the enclave.</summary>
    public string GuestSocket => Path.Combine(_folder.Path, "run", $"guest_{_ingress}");

    /// <summary>From the start of the process to the first 200 of /readyz.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    /// <summary>EnclaveHost's, with all its files in a folder that has the manifest already.</summary>
    public static string[] Arguments(TemporaryFolder folder, string orchestrator, int httpPort) =>
    [
        "--driver", "process", "--orchestrator", orchestrator, "--manifest", Path.Combine(folder.Path, "manifest.json"),
        "--run-dir", Path.Combine(folder.Path, "run"), "--secrets-dir", Path.Combine(folder.Path, "secrets"),
        "--termination-message", Path.Combine(folder.Path, "termination"), "--http-bind", "127.0.0.1", "--http-port", $"{httpPort}",
    ];

    /// <summary>Starts one and waits until it is ready.</summary>
    public static async Task<StartedEnclave> Start(string host, string orchestrator, CancellationToken cancellation)
    {
        var folder = new TemporaryFolder();
        var (port, http, ingress) = (ContainerProgram.Ports.Next(), ContainerProgram.Ports.Next(), Ingress.Next());
        var app = Manifests.App("local", ContainerProgram.Command(port), port, ingress, "bench");
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, "manifest.json"), ManifestCodec.Write(Manifests.One(app)), cancellation);
        var watch = Stopwatch.StartNew();
        var process = await Daemon.Start(folder.Path, "enclave-host", host, Arguments(folder, orchestrator, http));
        var enclave = new StartedEnclave(folder, new Uri($"http://127.0.0.1:{http}/"), ingress, process);
        try
        {
            // Over one connection as soon as there is one, so that the looks are no load.
            await process.Until("ready", () => enclave.IsReady(cancellation), BetweenLooks, cancellation);
            enclave.ReadyAfter = watch.Elapsed;
            return enclave;
        }
        catch
        {
            await enclave.DisposeAsync();
            throw;
        }
    }

    /// <summary>The steps of the start, as it logs them.</summary>
    public async Task<IReadOnlyList<StartStep>> Steps(CancellationToken cancellation)
    {
        IReadOnlyList<StartLine> lines = [];
        await Host.Until("saying how long its start took", async () =>
        {
            lines = StartLine.In(await File.ReadAllTextAsync(Path.Combine(_folder.Path, "enclave-host.log"), cancellation));
            return lines.Count > 0;
        }, BetweenLooks, cancellation);
        return lines[0].Steps;
    }

    /// <summary>Memory that its Orchestrator holds at this moment, in KiB.</summary>
    public async Task<long> OrchestratorKib(CancellationToken cancellation)
    {
        var id = (await Status(cancellation))["enclave"]!["id"]!.GetValue<string>();
        return ProcessFacts.ResidentKib(int.Parse(id["process-".Length..], CultureInfo.InvariantCulture));
    }

    /// <summary>Opens connections through the ingress, and waits until all of them are relayed.</summary>
    public async Task<OpenConnections> Connect(int count, CancellationToken cancellation)
    {
        var connections = new OpenConnections();
        for (var i = 0; i < count; i++)
            await connections.Open(new IPEndPoint(IPAddress.Loopback, _ingress), cancellation);
        await Host.Until($"relaying {count} connections", async () =>
        {
            var relays = (await Status(cancellation))["relays"]!.AsArray();
            return relays.Sum(relay => relay!["open"]!.GetValue<long>()) == count;
        }, BetweenLooks, cancellation);
        return connections;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Host.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<bool> IsReady(CancellationToken cancellation)
    {
        using var response = await _client.GetAsync(new Uri(_url, "readyz"), cancellation);
        return response.StatusCode == HttpStatusCode.OK;
    }

    private async Task<JsonNode> Status(CancellationToken cancellation) => JsonNode.Parse(await _client.GetStringAsync(new Uri(_url, "status"), cancellation))!;
}

/// <summary>Connections that stay open until disposal.</summary>
internal sealed class OpenConnections : IDisposable
{
    private readonly List<Socket> _sockets = [];

    /// <summary>Opens one, and sends something through it.</summary>
    public async Task Open(IPEndPoint to, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        await socket.ConnectAsync(to, cancellation);
        await socket.SendAsync("hello\n"u8.ToArray(), cancellation);
    }

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());
}
