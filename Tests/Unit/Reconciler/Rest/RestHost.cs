using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Rest;
using Enclaves.Reconciler.Rest.Serving;
using Enclaves.Reconciler.Rest.Streaming;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

/// <summary>The REST API over TLS, with NEDs, an API server and a time that are the test's.</summary>
internal sealed class RestHost : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("enclaves-rest-").FullName;
    private readonly List<HttpClient> _clients = [];
    private readonly ServiceProvider _parts;
    private readonly RestServer _server;
    private string _address = "";

    private RestHost()
    {
        _parts = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(Time).AddSingleton(Neds.Stores).AddSingleton(Neds.Views)
            .AddSingleton<EnclaveStatusReader>().AddSingleton<EnclaveStatuses>().AddSingleton<NedFeed>().BuildServiceProvider();
        _server = new RestServer(new RestSettings { Port = 0, Certificate = _folder }, Kubernetes.Client(), () => IsWhole, _parts);
    }

    public RestNeds Neds { get; } = new();

    public FakeKubernetes Kubernetes { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    /// <summary>Whether all that is there is known.</summary>
    public bool IsWhole { get; set; } = true;

    public static async Task<RestHost> Start()
    {
        var host = new RestHost();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(Path.Combine(host._folder, "tls.crt"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(host._folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        await host._server.StartAsync(TestContext.Current.CancellationToken);
        var loaded = host._server.Services.GetRequiredService<RestCertificate>();
        await Until(() => loaded.Current is not null);
        var urls = host._server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        host._address = $"https://127.0.0.1:{new Uri(urls.Single()).Port}/";
        return host;
    }

    /// <summary>Waits until something holds that other threads bring about.</summary>
    public static async Task Until(Func<bool> holds)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (!holds())
            await Task.Delay(5, limit.Token);
    }

    /// <summary>A client of it, as a user that has a token of this name from now on; null for nobody.</summary>
    public HttpClient Client(string? token = null, string? user = null)
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = true,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, served, _, _) => served?.Subject == "CN=test" },
        })
        { BaseAddress = new Uri(_address), DefaultRequestVersion = HttpVersion.Version20, Timeout = TimeSpan.FromSeconds(60) };
        _clients.Add(client);
        if (token is null)
            return client;
        Kubernetes.Users[token] = user ?? token;
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await _server.StopAsync(CancellationToken.None);
        await _server.DisposeAsync();
        await _parts.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
