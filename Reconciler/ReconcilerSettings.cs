using Enclaves.Reconciler.Certificates;
using Enclaves.Reconciler.Jobs;
using Enclaves.Reconciler.Leadership;
using Enclaves.Reconciler.Rest;
using Enclaves.Reconciler.Status;
using k8s;

namespace Enclaves.Reconciler;

/// <summary>
/// Options, each from the command line (--port 8080) or the environment (ENCLAVES_PORT=8080).
/// </summary>
internal sealed record ReconcilerSettings
{
    // A connection on which nothing comes any more, and that nobody has closed, takes every call with it until a ping finds it out.
    // client-go's times for the same (HTTP2_READ_IDLE_TIMEOUT_SECONDS, HTTP2_PING_TIMEOUT_SECONDS); the client library's are minutes.
    private static readonly TimeSpan SilenceBeforePing = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Port of /livez, /healthz, /readyz and /metrics.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>The only namespace to work in; absent means all but those with the label k8s.oblv.com/ignore: "true".</summary>
    public string? Namespace { get; init; }

    /// <summary>Comma-separated namespaces that the webhooks leave out by name; a NED there is told so instead of being run unchecked.</summary>
    public string WebhookExcludes { get; init; } = "";

    /// <summary>The namespaces of <see cref="WebhookExcludes"/>.</summary>
    public IReadOnlySet<string> ExcludedNamespaces =>
        field ??= WebhookExcludes.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);

    /// <summary>Path of a kubeconfig; absent means the pod's service account, or the user's own kubeconfig outside a pod.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>NEDs that are worked at the same time, 1 to 64.</summary>
    public int Workers { get; init; } = 4;

    /// <summary>
    /// Pause of a timer between two looks at every NED, 1 s to a day; 0 for none. It only matters where a change was missed. Absent, the timer
    /// leaves that to the job of the same name, and looks every ten minutes where there are no jobs.
    /// </summary>
    public TimeSpan? Resync { get; init; }

    /// <summary>What is done at fixed times.</summary>
    public JobSettings Jobs { get; init; } = new();

    /// <summary>The pause of the timer; zero for none.</summary>
    public TimeSpan ResyncTimer => Resync ?? (Jobs.Enabled ? TimeSpan.Zero : TimeSpan.FromMinutes(10));

    /// <summary>The enclave images that NEDs may name, with their measurements: --images:enclave.eif:pcr0 and so on.</summary>
    public IReadOnlyDictionary<string, EnclaveImage> Images { get; init; } = new Dictionary<string, EnclaveImage>();

    /// <summary>The same, to look up.</summary>
    public EnclaveImages EnclaveImages => field ??= new EnclaveImages(Images);

    /// <summary>Whether /metrics has two series for each NED, of at most <see cref="Reconciling.NedMetricsText.MostNeds"/>.</summary>
    public bool PerNedMetrics { get; init; } = true;

    /// <summary>The Webhook's certificate to look after; absent where somebody else does, as cert-manager.</summary>
    public CertificateSettings? Certificates { get; init; }

    /// <summary>The Lease by which replicas agree on who works; absent where there is only one.</summary>
    public LeaseSettings? Lease { get; init; }

    /// <summary>The REST API; absent where it is not wanted.</summary>
    public RestSettings? Rest { get; init; }

    /// <summary>Reads and checks the options.</summary>
    /// <exception cref="InvalidOperationException">An option has a value that is not allowed.</exception>
    public static ReconcilerSettings Read(IConfiguration configuration)
    {
        var settings = configuration.Get<ReconcilerSettings>() ?? new ReconcilerSettings();
        if (settings.Port is < 1 or > 65535)
            throw new InvalidOperationException($"--port {settings.Port}: allowed are 1 to 65535");
        if (settings.Workers is < 1 or > 64)
            throw new InvalidOperationException($"--workers {settings.Workers}: allowed are 1 to 64");
        if (settings.Resync is { } resync && resync != TimeSpan.Zero && (resync < TimeSpan.FromSeconds(1) || resync > TimeSpan.FromDays(1)))
            throw new InvalidOperationException($"--resync {settings.Resync}: allowed are 00:00:01 to 1.00:00:00, and 0 for never");
        settings.EnclaveImages.Require();
        settings.Jobs.Require(configuration);
        settings.Certificates?.Require();
        settings.Lease?.Require();
        settings.Rest?.Require();
        return settings is { Lease: { } lease, Rest: { } rest } ? settings with { Lease = lease.At(rest.Port) } : settings;
    }

    /// <summary>How to reach the API server.</summary>
    public KubernetesClientConfiguration ClientConfiguration()
    {
        var configuration = Kubeconfig is { Length: > 0 } path ? KubernetesClientConfiguration.BuildConfigFromConfigFile(path)
            : KubernetesClientConfiguration.IsInCluster() ? KubernetesClientConfiguration.InClusterConfig()
            : KubernetesClientConfiguration.BuildConfigFromConfigFile();
        configuration.FirstMessageHandlerSetup = handler =>
        {
            if (handler is not SocketsHttpHandler sockets)
                return;
            sockets.KeepAlivePingDelay = SilenceBeforePing;
            sockets.KeepAlivePingTimeout = PingTimeout;
        };
        return configuration;
    }
}
