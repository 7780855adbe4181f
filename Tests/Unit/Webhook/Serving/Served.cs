using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Enclaves.Webhook.Options;
using Enclaves.Webhook.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Enclaves.Tests.Unit.Webhook.Serving;

/// <summary>The Webhook's application in this process, with its log and its metrics at hand. It has no certificate until one is written.</summary>
internal sealed class Served : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("enclaves-served-");
    private readonly WebApplication _app;
    private volatile string _thumbprint = "";

    private Served(string level)
    {
        (HttpsPort, HttpPort) = (FreePort(), FreePort());
        var (options, problems) = WebhookOptions.Read(
            ["--tls-cert", Path.Combine(_folder.FullName, "tls.crt"), "--tls-key", Path.Combine(_folder.FullName, "tls.key"), "--https-port", $"{HttpsPort}",
             "--http-port", $"{HttpPort}", "--drain-seconds", "2", "--log-level", level, "--enclave-host-image", "registry.example/enclave-host:1"],
            new Dictionary<string, string>());
        if (problems.Count > 0)
            throw new InvalidOperationException(string.Join('\n', problems));
        _app = WebhookServer.Build(options, logging => logging.AddProvider(Log));
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = { RemoteCertificateValidationCallback = (_, got, _, _) => got?.GetCertHashString() == _thumbprint } });
    }

    public int HttpsPort { get; }

    public int HttpPort { get; }

    public HttpClient Client { get; }

    public LogLines Log { get; } = new();

    public ServerCertificate Certificate => _app.Services.GetRequiredService<ServerCertificate>();

    public static async Task<Served> Start(bool withCertificate = true, string level = "info")
    {
        var served = new Served(level);
        if (withCertificate)
            served.WriteCertificate();
        await served._app.StartAsync();
        if (withCertificate)
            await served.Until("/readyz", 200, "ok");
        return served;
    }

    public Task Stop() => _app.StopAsync();

    /// <summary>Puts a new certificate in place; answers the end of its validity in seconds since 1970.</summary>
    public long WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=webhook", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddHours(1));
        File.WriteAllText(Path.Combine(_folder.FullName, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(_folder.FullName, "tls.crt"), certificate.ExportCertificatePem());
        _thumbprint = certificate.Thumbprint;
        return new DateTimeOffset(certificate.NotAfter).ToUnixTimeSeconds();
    }

    public async Task<(int Code, string Text)> Get(string path)
    {
        using var answer = await Client.GetAsync(new Uri($"http://127.0.0.1:{HttpPort}{path}"));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Waits until a path of the plain port answers with this code and part of a text.</summary>
    public async Task Until(string path, int code, string part)
    {
        using var limit = new CancellationTokenSource(Limit);
        for (var got = await Get(path); got.Code != code || !got.Text.Contains(part, StringComparison.Ordinal); got = await Get(path))
        {
            if (limit.IsCancellationRequested)
                throw new TimeoutException($"{path} still answers {got.Code} {got.Text}; log:\n{Log}");
            await Task.Delay(20);
        }
    }

    public async Task<HttpResponseMessage> Post(AdmissionPoint point, string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        return await Client.PostAsync(new Uri($"https://127.0.0.1:{HttpsPort}{point.Path}"), content);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>What a logger was given: level, message and fields of each line.</summary>
internal sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Category, string Message, Dictionary<string, object?> Fields)> _lines = new();

    public IEnumerable<(LogLevel Level, Dictionary<string, object?> Fields)> Reviews =>
        _lines.Where(line => line.Category.EndsWith(nameof(ReviewLog), StringComparison.Ordinal)).Select(line => (line.Level, line.Fields));

    public override string ToString() => string.Join('\n', _lines.Select(line =>
        $"{line.Level} {line.Category} {line.Message} {string.Join(' ', line.Fields.Select(field => $"{field.Key}={field.Value}"))}"));

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(LogLines lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines._lines.Enqueue((logLevel, category, formatter(state, exception) + exception,
                state is IEnumerable<KeyValuePair<string, object?>> fields ? fields.ToDictionary() : []));
    }
}
