using System.Globalization;
using Enclaves.Channel;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.Benchmarks.Boot;
using Enclaves.Tests.Benchmarks.Reconcile;
using Enclaves.Tests.Enclave.Harness;

namespace Enclaves.Tests.Benchmarks.Relay;

/// <summary>EnclaveHost with the process driver and an enclave that storms it.</summary>
internal sealed class StormingEnclave : IAsyncDisposable
{
    /// <summary>Stands in a command for the Unix socket that the relay of outbound connections listens on.</summary>
    public const string Egress = "EGRESS";

    // That of the process driver.
    private const uint Cid = 16;

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly TemporaryFolder _folder;
    private readonly Uri _url;

    private StormingEnclave(TemporaryFolder folder, Uri url, Daemon host) => (_folder, _url, Host) = (folder, url, host);

    /// <summary>EnclaveHost's process.</summary>
    public Daemon Host { get; }

    /// <summary>Starts one, and waits until the storm has begun.</summary>
    /// <param name="host">EnclaveHost.</param>
    /// <param name="orchestrator">What it starts as the enclave.</param>
    /// <param name="command">Of the only container.</param>
    /// <param name="counter">Sample of EnclaveHost's metrics that counts what the storm does.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async Task<StormingEnclave> Start(string host, string orchestrator, string[] command, string counter, CancellationToken cancellation)
    {
        var (folder, http) = (new TemporaryFolder(), ContainerProgram.Ports.Next());
        var socket = string.Create(CultureInfo.InvariantCulture, $"{folder.Path}/run/host_{EnclavePorts.Egress(Cid)}");
        var app = Manifests.App("local", [.. command.Select(word => word == Egress ? socket : word)], 1, 20999, "bench") with { RestartPolicy = "Never", Ports = [] };
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, "manifest.json"), ManifestCodec.Write(Manifests.One(app)), cancellation);
        var daemon = await Daemon.Start(folder.Path, "storm", host, StartedEnclave.Arguments(folder, orchestrator, http));
        var enclave = new StormingEnclave(folder, new Uri($"http://127.0.0.1:{http}/metrics"), daemon);
        try
        {
            await daemon.Until("storming", async () => await enclave.Count(counter, cancellation) > 0, cancellation);
            return enclave;
        }
        catch
        {
            await enclave.DisposeAsync();
            throw;
        }
    }

    /// <summary>Value of one sample of EnclaveHost's metrics; 0 while it has none.</summary>
    public async Task<long> Count(string sample, CancellationToken cancellation)
    {
        var line = (await _client.GetStringAsync(_url, cancellation)).Split('\n').FirstOrDefault(line => line.StartsWith(sample, StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line[(sample.Length + 1)..], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Host.DisposeAsync();
        _folder.Dispose();
    }
}
