using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Rest;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Serving;
using Enclaves.Reconciler.Rest.Streaming;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Enclaves.Tests.Benchmarks.Rest;

/// <summary>
/// The REST API over TLS with NEDs in its stores. In the place of the API server, which only says who somebody is and what they may do, there is one that
/// lets everybody do everything.
/// </summary>
internal sealed class RestStand : IAsyncDisposable
{
    private const string Subject = "CN=bench";

    private readonly string _folder = Directory.CreateTempSubdirectory("enclaves-bench-").FullName;
    private readonly List<IAsyncDisposable> _parts = [];
    private int _version;

    public ClusterStores Stores { get; } = new();

    public int Port { get; } = Random.Shared.Next(28000, 31999);

    public static async Task<RestStand> Start(int neds, CancellationToken cancellation)
    {
        var stand = new RestStand();
        try
        {
            await stand.StartParts(neds, cancellation);
            return stand;
        }
        catch
        {
            await stand.DisposeAsync();
            throw;
        }
    }

    /// <summary>A NED as one that has run for a while, or a new version of it.</summary>
    public void Put(int number) => Stores.Neds.Put(LiveObject.From(JsonSerializer.SerializeToElement(new
    {
        metadata = new
        {
            name = $"ned-{number:d4}",
            @namespace = $"team-{number % 20}",
            uid = $"3f1c2d4e-0000-4000-8000-{number:d12}",
            resourceVersion = $"{++_version}",
            generation = 3,
            creationTimestamp = "2026-03-02T09:41:00Z",
            labels = new Dictionary<string, string> { ["app"] = "web", ["team"] = $"team-{number % 20}" },
        },
        spec = new { replicas = 2 },
        status = new
        {
            status = "SCHEDULED",
            ready = "2/2",
            readyReplicas = 2,
            observedGeneration = 3,
            conditions = new[] { new { type = "Ready", status = "True", reason = "AllEnclavesReady", message = "All 2 enclaves run generation 3 and are ready." } },
        },
    }))!);

    /// <summary>A client that has connections of its own.</summary>
    public HttpClient Client()
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, served, _, _) => served?.Subject == Subject },
        })
        { BaseAddress = new Uri($"https://127.0.0.1:{Port}/") };
        client.DefaultRequestHeaders.Authorization = new("Bearer", "anybody");
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
            await part.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartParts(int neds, CancellationToken cancellation)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(Path.Combine(_folder, "tls.crt"), certificate.ExportCertificatePem(), cancellation);
        await File.WriteAllTextAsync(Path.Combine(_folder, "tls.key"), key.ExportPkcs8PrivateKeyPem(), cancellation);
        var api = await StartApiServer(cancellation);
        var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddSingleton(Stores).AddSingleton<EnclaveStatusReader>()
            .AddSingleton<EnclaveStatuses>().AddSingleton<NedViews>().AddSingleton<NedFeed>().BuildServiceProvider();
        _parts.Add(services);
        var server = new RestServer(new RestSettings { Port = Port, Certificate = _folder }, new ApiServer(new Kubernetes(new KubernetesClientConfiguration { Host = api })), () => true, services);
        _parts.Add(server);
        for (var number = 0; number < neds; number++)
            Put(number);
        await server.StartAsync(cancellation);
        using var client = Client();
        while (true)
        {
            try
            {
                (await client.GetAsync(new Uri("api/v1/summary", UriKind.Relative), cancellation)).EnsureSuccessStatusCode();
                return;
            }
            catch (HttpRequestException) when (!cancellation.IsCancellationRequested)
            {
                // Its certificate is not loaded yet.
                await Task.Delay(50, cancellation);
            }
        }
    }

    private async Task<string> StartApiServer(CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapPost("/apis/authentication.k8s.io/v1/tokenreviews", () => Results.Json(new { metadata = new { }, status = new { authenticated = true, user = new { username = "anybody" } } }));
        app.MapPost("/apis/authorization.k8s.io/v1/subjectaccessreviews", () => Results.Json(new { metadata = new { }, status = new { allowed = true } }));
        await app.StartAsync(cancellation);
        _parts.Add(app);
        return app.Urls.Single();
    }
}
