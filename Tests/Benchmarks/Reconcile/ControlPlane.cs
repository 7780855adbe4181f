using Enclaves.Api;
using Enclaves.Tests.Benchmarks.Admission;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>
/// etcd and a kube-apiserver of the benchmark's own on the loopback, as envtest starts them: nothing else writes into it, no controller
/// and no node, so that every request but the benchmark's is the Reconciler's. It holds the CRD, and nothing else.
/// </summary>
internal sealed class ControlPlane : IAsyncDisposable
{
    // etcd waits for the disk at each write, and of a disk that is slow now and then a figure would tell more than of what is measured.
    private const string InMemory = "/dev/shm";

    private readonly CertificateFolder _files;
    private readonly string _data;
    private readonly List<Daemon> _daemons = [];

    private ControlPlane(CertificateFolder files)
    {
        _files = files;
        _data = Path.Combine(Directory.Exists(InMemory) ? InMemory : files.Folder, $"enclaves-bench-etcd-{Environment.ProcessId}");
    }

    /// <summary>Path of the administrator's kubeconfig.</summary>
    public string Kubeconfig => Path.Combine(_files.Folder, "kubeconfig");

    /// <summary>Where logs go.</summary>
    public string Folder => _files.Folder;

    /// <summary>The benchmark's own way to it.</summary>
    public ApiClient Api { get; private set; } = null!;

    /// <summary>Starts it.</summary>
    /// <param name="etcd">Path of etcd.</param>
    /// <param name="kubernetes">Folder with kube-apiserver.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public static async Task<ControlPlane> Start(string etcd, string kubernetes, CancellationToken cancellation)
    {
        var plane = new ControlPlane(await CertificateFolder.Create());
        try
        {
            await plane.StartAll(etcd, Path.Combine(kubernetes, "kube-apiserver"), cancellation);
            return plane;
        }
        catch
        {
            await plane.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a namespace.</summary>
    public Task CreateNamespace(string name, CancellationToken cancellation) =>
        Api.Send(HttpMethod.Post, "api/v1/namespaces", $$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{name}}"} }""", ApiClient.Json, cancellation);

    public async ValueTask DisposeAsync()
    {
        Api?.Dispose();
        // The API server before its etcd.
        foreach (var daemon in Enumerable.Reverse(_daemons))
            await daemon.DisposeAsync();
        if (Directory.Exists(_data))
            Directory.Delete(_data, recursive: true);
        _files.Dispose();
    }

    private async Task StartAll(string etcd, string apiServer, CancellationToken cancellation)
    {
        var token = Guid.NewGuid().ToString("N");
        var (clients, peers, port) = (Daemon.FreePort(), Daemon.FreePort(), Daemon.FreePort());
        var tokens = Path.Combine(Folder, "tokens");
        await File.WriteAllTextAsync(tokens, $"{token},benchmark,benchmark,\"system:masters\"\n", cancellation);
        _daemons.Add(await Daemon.Start(Folder, "etcd", etcd,
            "--name", "bench", "--data-dir", _data, "--log-level", "warn", "--logger", "zap", "--quota-backend-bytes", "4294967296",
            "--listen-client-urls", $"http://127.0.0.1:{clients}", "--advertise-client-urls", $"http://127.0.0.1:{clients}",
            "--listen-peer-urls", $"http://127.0.0.1:{peers}", "--initial-advertise-peer-urls", $"http://127.0.0.1:{peers}",
            "--initial-cluster", $"bench=http://127.0.0.1:{peers}"));
        var server = await Daemon.Start(Folder, "kube-apiserver", apiServer,
            "--etcd-servers", $"http://127.0.0.1:{clients}", "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", $"{port}",
            "--tls-cert-file", _files.Certificate, "--tls-private-key-file", _files.Key, "--cert-dir", Folder,
            "--token-auth-file", tokens, "--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.212.0.0/16",
            // Pods are made without the controller that makes their service account.
            "--disable-admission-plugins", "ServiceAccount",
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-signing-key-file", _files.Key, "--service-account-key-file", _files.Key);
        _daemons.Add(server);
        Api = new ApiClient(port, token, _files.Authority);
        await server.Until("ready", () => Api.IsSuccess("readyz", cancellation), cancellation);
        await File.WriteAllTextAsync(Kubeconfig, $$"""
            apiVersion: v1
            kind: Config
            current-context: bench
            contexts: [ { name: bench, context: { cluster: bench, user: bench } } ]
            clusters: [ { name: bench, cluster: { server: "https://127.0.0.1:{{port}}", certificate-authority: "{{_files.Authority}}" } } ]
            users: [ { name: bench, user: { token: "{{token}}" } } ]
            """, cancellation);
        var crd = await File.ReadAllTextAsync(Path.Combine(CertificateFolder.Repository, "charts/enclaves/templates/crd.yaml"), cancellation);
        await Api.Send(HttpMethod.Post, "apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd, ApiClient.Yaml, cancellation);
        await server.Until("serving the CRD", () => Api.IsSuccess($"apis/{NedNames.ApiVersion}/{NedNames.Plural}?limit=1", cancellation), cancellation);
    }
}
