using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook.Serving;

/// <summary>The Webhook as a process of its own, with a certificate of its own on the loopback: what it survives, a pod survives.</summary>
public sealed class WebhookProcess : IAsyncLifetime
{
    /// <summary>What the chart allows it, in bytes: at more it would be killed.</summary>
    public const long MemoryLimit = 256L << 20;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("enclaves-webhook-");
    private readonly ConcurrentQueue<string> _log = new();
    private readonly int _https = FreePort();
    private readonly int _http = FreePort();
    private Process? _process;

    /// <summary>Trusts its certificate and no other.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>Where the admission endpoints are.</summary>
    public Uri Https => new($"https://127.0.0.1:{_https}");

    /// <summary>Where the kubelet's endpoints are.</summary>
    public Uri Http => new($"http://127.0.0.1:{_http}");

    /// <summary>All it has written.</summary>
    public string Log => string.Join('\n', _log);

    /// <summary>
    /// The most memory it ever had at once, in bytes (VmHWM), without the files of its code: those the kernel gives up before it kills.
    /// </summary>
    public long PeakMemory => Status("VmHWM:") - Status("RssFile:");

    public async ValueTask InitializeAsync()
    {
        using var certificate = Certify();
        var thumbprint = certificate.Thumbprint;
        Client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, served, _, _) => served?.GetCertHashString() == thumbprint },
        });
        _process = Start();
        var started = Stopwatch.StartNew();
        while (!await IsReady())
        {
            if (_process.HasExited || started.Elapsed > StartLimit)
                throw new InvalidOperationException($"the Webhook did not get ready; its log:\n{Log}");
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private async Task<bool> IsReady()
    {
        try
        {
            using var answer = await Client.GetAsync(new Uri(Http, "/readyz"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private long Status(string name)
    {
        var line = File.ReadLines($"/proc/{_process!.Id}/status").Single(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..^"kB".Length], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture) * 1024;
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Enclaves.Webhook"),
            ["--tls-cert", Path.Combine(_folder.FullName, "tls.crt"), "--tls-key", Path.Combine(_folder.FullName, "tls.key"),
             "--https-port", $"{_https}", "--http-port", $"{_http}", "--enclave-host-image", "registry.example/enclave-host:1"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What .NET sets by itself in a container with the chart's memory limit: three quarters of it.
        start.Environment["DOTNET_GCHeapHardLimit"] = $"{MemoryLimit * 3 / 4:X}";
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private X509Certificate2 Certify()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=webhook", key, HashAlgorithmName.SHA256);
        var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddHours(1));
        File.WriteAllText(Path.Combine(_folder.FullName, "tls.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder.FullName, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
