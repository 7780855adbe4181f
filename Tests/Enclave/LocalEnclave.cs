using System.Globalization;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.Enclave.Harness;

namespace Enclaves.Tests.Enclave;

/// <summary>EnclaveHost with the process driver and one container, the test plugin.</summary>
internal sealed class LocalEnclave : IAsyncDisposable
{
    public static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);

    // Ingress ports have a range of their own (EnclavePorts.IngressBase).
    private static readonly FreePorts Ingress = new(20100, 20499);

    private LocalEnclave(HostProcess host, int ingressPort)
    {
        Host = host;
        IngressPort = ingressPort;
    }

    public HostProcess Host { get; }

    public int IngressPort { get; }

    public static LocalEnclave Start(Func<ManifestContainer, ManifestContainer>? change = null, params string[] arguments) =>
        Start(app => Manifests.One(change is null ? app : change(app)), [], arguments);

    /// <summary>With a manifest made of the plugin's container, and mounted Secrets by SECRET/KEY.</summary>
    public static LocalEnclave Start(Func<ManifestContainer, EnclaveManifest> make, params (string Path, string Value)[] secrets) => Start(make, secrets, []);

    private static LocalEnclave Start(Func<ManifestContainer, EnclaveManifest> make, (string Path, string Value)[] secrets, string[] arguments)
    {
        var (ingress, port) = (Ingress.Next(), HostProcess.Ports.Next());
        var marker = Guid.NewGuid().ToString("n");
        var app = Manifests.App(
            "local", ["/usr/bin/perl", Programs.Plugin, port.ToString(CultureInfo.InvariantCulture)], port, ingress, marker);
        var manifest = ManifestCodec.Write(make(app));
        string[] own = ["--driver", "process", "--orchestrator", Programs.Orchestrator];
        return new LocalEnclave(HostProcess.Start(manifest, marker, secrets, [.. own, .. arguments]), ingress);
    }

    /// <summary>Started, and taking traffic.</summary>
    public static async Task<LocalEnclave> ReadyAsync(params string[] arguments)
    {
        var enclave = Start(null, arguments);
        try
        {
            await enclave.Host.UntilReadyAsync(ReadyLimit);
            return enclave;
        }
        catch
        {
            await enclave.DisposeAsync();
            throw;
        }
    }

    /// <summary>Process id of the container, as it tells through the ingress.</summary>
    public async Task<int> AskPluginIdAsync() =>
        int.Parse((await HostProcess.AskAsync(IngressPort)).Split(' ')[1], CultureInfo.InvariantCulture);

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
