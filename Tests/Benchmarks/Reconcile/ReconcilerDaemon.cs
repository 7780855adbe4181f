using System.Globalization;
using Enclaves.Tests.Benchmarks.Admission;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>A Reconciler as it was built together with this program, as a process of its own.</summary>
internal sealed class ReconcilerDaemon : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly int _port;

    private ReconcilerDaemon(Daemon process, int port) => (Process, _port) = (process, port);

    /// <summary>Its process.</summary>
    public Daemon Process { get; }

    /// <summary>Starts one and waits until its stores are whole.</summary>
    public static async Task<ReconcilerDaemon> Start(ControlPlane plane, string name, CancellationToken cancellation, params string[] arguments)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(CertificateFolder.Repository, "Reconciler", "bin", output.Parent!.Name, output.Name, "Enclaves.Reconciler");
        var port = Daemon.FreePort();
        // The pods are made up, and nobody is where they say; looks at every NED are the benchmarks' own (--resync).
        string[] always = ["--kubeconfig", plane.Kubeconfig, "--port", $"{port}", "--jobs:healthSweep", "", "--jobs:resync", ""];
        var process = await Daemon.Start(plane.Folder, name, program, [.. always, .. arguments]);
        var reconciler = new ReconcilerDaemon(process, port);
        try
        {
            await process.Until("ready", async () =>
            {
                using var response = await reconciler._client.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"), cancellation);
                return response.IsSuccessStatusCode;
            }, cancellation);
            return reconciler;
        }
        catch
        {
            await reconciler.DisposeAsync();
            throw;
        }
    }

    /// <summary>Passes that it has made so far.</summary>
    public async Task<long> Passes(CancellationToken cancellation)
    {
        var text = await _client.GetStringAsync(new Uri($"http://127.0.0.1:{_port}/metrics"), cancellation);
        return text.Split('\n')
            .Where(line => line.StartsWith("enclaves_reconciler_passes_total{", StringComparison.Ordinal))
            .Sum(line => (long)double.Parse(line.Split("} ")[1].Split(' ')[0], CultureInfo.InvariantCulture));
    }

    /// <summary>Waits until it has made no pass for a while.</summary>
    public async Task Idle(TimeSpan span, CancellationToken cancellation)
    {
        for (var (before, now) = (-1L, await Passes(cancellation)); before != now; (before, now) = (now, await Passes(cancellation)))
            await Task.Delay(span, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Process.DisposeAsync();
    }
}
