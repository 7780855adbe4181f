using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Enclaves.Tests.Cluster.Client;
using k8s;
using k8s.Models;

namespace Enclaves.Tests.Cluster.Rest;

/// <summary>A Reconciler with its REST API, and clients of it that trust its certificate.</summary>
internal sealed class RestApi : IAsyncDisposable
{
    private readonly string _folder;
    private readonly X509Certificate2 _certificate;
    private readonly List<HttpClient> _clients = [];
    private ReconcilerProcess? _reconciler;

    private RestApi(string folder, X509Certificate2 certificate, int port) => (_folder, _certificate, Port) = (folder, certificate, port);

    public int Port { get; }

    /// <summary>The arguments with which a Reconciler serves it.</summary>
    public string[] Arguments => ["--jobs:enabled", "true", "--rest:port", $"{Port}", "--rest:certificate", _folder];

    /// <summary>The Reconciler that was started with it.</summary>
    public ReconcilerProcess Reconciler => _reconciler ?? throw new InvalidOperationException("no Reconciler was started with this REST API");

    public string Address => $"https://127.0.0.1:{Port}";

    /// <summary>Starts a Reconciler that works in one namespace.</summary>
    public static Task<RestApi> Start(string space, params string[] arguments) => Start(space, ChildProcess.Ports.Next(), arguments);

    /// <summary>Starts one that stands by for ever and so sees all namespaces without working in any.</summary>
    public static Task<RestApi> StartStandby(ClusterFixture cluster, string space) => StartStandby(cluster, space, "");

    /// <summary>Starts one that stands by for ever in one namespace: what is asked for there stays.</summary>
    public static Task<RestApi> StartIdle(ClusterFixture cluster, string space) => StartStandby(cluster, space, space);

    private static async Task<RestApi> StartStandby(ClusterFixture cluster, string space, string watched)
    {
        const string lease = "held";
        await cluster.Client.CoordinationV1.CreateNamespacedLeaseAsync(new V1Lease
        {
            Metadata = new V1ObjectMeta { Name = lease },
            Spec = new V1LeaseSpec { HolderIdentity = "nobody", LeaseDurationSeconds = 86_400, RenewTime = DateTime.UtcNow },
        }, space);
        return await Start(space, "--namespace", watched, "--lease:namespace", space, "--lease:name", lease);
    }

    public static async Task<RestApi> Start(string space, int port, params string[] arguments)
    {
        var api = await Prepare(port);
        return await api.Started(space, arguments);
    }

    /// <summary>Starts another one with the same certificate, as replicas have it.</summary>
    public async Task<RestApi> StartAnother(string space, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("enclaves-rest-").FullName;
        foreach (var file in Directory.EnumerateFiles(_folder))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return await new RestApi(folder, X509CertificateLoader.LoadCertificate(_certificate.RawData), ChildProcess.Ports.Next()).Started(space, arguments);
    }

    /// <summary>Its certificate and clients, for a Reconciler that a test starts itself.</summary>
    public static async Task<RestApi> Prepare(int port)
    {
        var folder = Directory.CreateTempSubdirectory("enclaves-rest-").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(Path.Combine(folder, "tls.crt"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        return new RestApi(folder, certificate, port);
    }

    private async Task<RestApi> Started(string space, string[] arguments)
    {
        try
        {
            _reconciler = await ReconcilerProcess.Start(space, [.. Arguments, .. arguments]);
            return this;
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>A client with this token, or without one.</summary>
    public HttpClient Http(string? token = null)
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            EnableMultipleHttp2Connections = true,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, served, _, _) => served?.GetCertHashString() == _certificate.GetCertHashString() },
        })
        {
            BaseAddress = new Uri($"{Address}/"),
            Timeout = TimeSpan.FromMinutes(2),
        };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        _clients.Add(client);
        return client;
    }

    /// <summary>The generated client with this token.</summary>
    public RestClient Generated(string token) => new(Http(token));

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            client.Dispose();
        if (_reconciler is not null)
            await _reconciler.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        _certificate.Dispose();
    }
}
