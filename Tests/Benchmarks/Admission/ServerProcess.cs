using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Enclaves.Tests.Benchmarks.Admission;

/// <summary>
/// A server that is measured, as a process of its own. Its log goes to a file, as it does in a pod: it is part of what is measured.
/// </summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly string _log;

    private ServerProcess(Process process, string log, int port) => (_process, _log, Port) = (process, log, port);

    /// <summary>Its TLS port on the loopback.</summary>
    public int Port { get; }

    /// <summary>Starts the Webhook as it was built together with this program and waits until it is ready.</summary>
    /// <param name="files">Folder with its certificate; its log goes there too.</param>
    /// <param name="timesFile">Where it shall write its <see cref="HandlerTimes"/> to at its end; null for nowhere.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public static async Task<ServerProcess> Webhook(CertificateFolder files, string? timesFile, CancellationToken cancellation)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(CertificateFolder.Repository, "Webhook", "bin", output.Parent!.Name, output.Name, "Enclaves.Webhook");
        var (https, http) = (FreePort(), FreePort());
        var server = Start(files, program, https,
            ["--tls-cert", files.Certificate, "--tls-key", files.Key, "--https-port", $"{https}", "--http-port", $"{http}",
             "--drain-seconds", "0", "--enclave-host-image", "registry.example/enclave-host:1"],
            timesFile);
        await server.Ready(files, new Uri($"http://127.0.0.1:{http}/readyz"), cancellation);
        return server;
    }

    /// <summary>Starts the endpoint that allows everything; it is ready as soon as it answers.</summary>
    public static async Task<ServerProcess> AllowAll(CertificateFolder files, string? timesFile, CancellationToken cancellation)
    {
        var port = FreePort();
        var server = Start(files, Environment.ProcessPath!, port, [Admission.AllowAll.Command, files.Certificate, files.Key, $"{port}"], timesFile);
        await server.Ready(files, new Uri($"https://127.0.0.1:{port}/"), cancellation);
        return server;
    }

    /// <summary>Ends it as a kubelet does, and waits for its end.</summary>
    public async Task Stop()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]))
            await kill.WaitForExitAsync();
        using var timeout = new CancellationTokenSource(StopTimeout);
        await _process.WaitForExitAsync(timeout.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        File.Delete(_log);
    }

    private static ServerProcess Start(CertificateFolder files, string program, int port, string[] arguments, string? timesFile)
    {
        var log = Path.Combine(files.Folder, $"{port}.log");
        // By way of a shell: a pipe to this process would make the load generator read the log.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", log, program, .. arguments]);
        if (timesFile is not null)
        {
            start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(ServerProcess).Assembly.Location;
            start.Environment[HandlerTimes.FileVariable] = timesFile;
        }

        return new ServerProcess(Process.Start(start)!, log, port);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task Ready(CertificateFolder files, Uri address, CancellationToken cancellation)
    {
        using var client = LoadGenerator.Client(files, connections: 1);
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(address, cancellation);
                if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed)
                    return;
            }
            catch (HttpRequestException) when (waited.Elapsed < StartTimeout)
            {
                // Not listening yet.
            }

            if (_process.HasExited || waited.Elapsed > StartTimeout)
            {
                var end = string.Join('\n', (await File.ReadAllLinesAsync(_log, cancellation)).TakeLast(10));
                await DisposeAsync();
                throw new InvalidOperationException($"{address} did not get ready; the end of the server's log:\n{end}");
            }

            await Task.Delay(1, cancellation);
        }
    }
}
