using Enclaves.Reconciler;
using Enclaves.Reconciler.Certificates;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Control.Events;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Jobs;
using Enclaves.Reconciler.Leadership;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Serving;
using Enclaves.Reconciler.Rest.Streaming;
using Enclaves.Reconciler.Status;
using k8s;
using k8s.Exceptions;

var builder = WebApplication.CreateSlimBuilder();
builder.Configuration.AddEnvironmentVariables("ENCLAVES_").AddCommandLine(args);
builder.Logging.ClearProviders().AddJsonConsole(console =>
{
    console.IncludeScopes = true;
    console.UseUtcTimestamp = true;
    console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
});
// Of data protection, that its keys are lost with the process: nothing is protected by them, the cookie of the REST API holds a token of the cluster.
builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error).AddJobFilters();
ReconcilerSettings settings;
Kubernetes client;
try
{
    settings = ReconcilerSettings.Read(builder.Configuration);
    client = new Kubernetes(settings.ClientConfiguration());
}
catch (Exception wrong) when (wrong is InvalidOperationException or KubeConfigException or IOException)
{
    await Console.Error.WriteLineAsync($"reconciler: {wrong.Message}; correct the option or the kubeconfig and start again");
    return 2;
}

builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.ListenAnyIP(settings.Port);
});
// Below the chart's terminationGracePeriodSeconds of 15, so that the Lease is given away rather than left to run out.
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(12));
builder.Services
    .AddSingleton(settings)
    .AddSingleton(TimeProvider.System)
    .AddSingleton<WriteFence>()
    .AddSingleton(services => new ApiServer(client, services.GetRequiredService<WriteFence>()))
    .AddSingleton(new ClusterStores { IsOfOneNamespace = settings.Namespace is { Length: > 0 } })
    .AddSingleton<ReferencedConfigMaps>()
    .AddSingleton<ChildApplier>()
    .AddSingleton<ManifestCleanup>()
    .AddSingleton<IEventSink, EventSink>()
    .AddSingleton<EventRecorder>()
    .AddSingleton<NedEvents>()
    .AddSingleton<NedStatusWriter>()
    .AddSingleton<EnclaveStatusReader>()
    .AddSingleton<EnclaveStatuses>()
    .AddSingleton<PodFindings>()
    .AddSingleton<PodLook>()
    .AddSingleton<SweepFindings>()
    .AddSingleton<HealthSweep>()
    .AddSingleton(services => new NodeRoom(services.GetRequiredService<ClusterStores>().Nodes, services.GetRequiredService<ClusterStores>().Pods, TimeProvider.System))
    .AddSingleton<NedReconciler>()
    .AddSingleton<ReconcilerMetrics>()
    .AddSingleton<FleetMetrics>()
    .AddSingleton<NedMetricsText>()
    .AddSingleton<JobClock>()
    .AddSingleton<NedController>();
// Hosted services stop in the reverse of this order: the last events are written when nothing happens any more, and the lease is given away
// when nothing writes any more.
if (settings.Lease is { } lease)
{
    builder.Services
        .AddSingleton(services => ActivatorUtilities.CreateInstance<LeaderElector>(services, new ApiServer(client), lease))
        .AddHostedService(services => services.GetRequiredService<LeaderElector>());
}

builder.Services.AddHostedService(services => services.GetRequiredService<EventRecorder>());
builder.Services.AddHostedService(services => services.GetRequiredService<NedController>());
builder.Services.AddHostedService<PodInspection>();
if (settings.Certificates is { } certificates)
{
    builder.Services.AddSingleton(certificates).AddSingleton<WebhookTrust>()
        .AddSingleton<CertificateRenewal>().AddHostedService(services => services.GetRequiredService<CertificateRenewal>());
}

builder.Services.AddJobs(settings.Jobs);

if (settings.Rest is { } rest)
{
    builder.Services
        .AddSingleton<NedViews>()
        .AddSingleton<NedFeed>()
        .AddHostedService(services => new RestServer(rest, new ApiServer(client), () => services.GetRequiredService<NedController>().IsSynced, services));
}

builder.AddTelemetry();

var app = builder.Build();
app.MapTelemetry();
app.MapGet("/livez", () => "ok");
app.MapGet("/healthz", () => "ok");
app.MapGet("/readyz", (NedController controller) => controller.IsSynced
    ? Results.Text("ok")
    : Results.Text($"not listed yet: {string.Join(", ", controller.Unsynced)}", statusCode: StatusCodes.Status503ServiceUnavailable));
await app.RunAsync();
return 0;
