using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Enclaves.Api;
using Enclaves.Channel.Manifest;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Reconciling.Children;
using Enclaves.Reconciler.Status;
using k8s;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>
/// One pass over one NED: reads what is wanted and what is, and makes the one like the other. It is told which object, never what
/// happened, so that any pass mends whatever any earlier one left undone. A pass that finds nothing to do writes nothing.
/// </summary>
internal sealed partial class NedReconciler(
    ClusterStores stores,
    ReferencedConfigMaps configMaps,
    ChildApplier children,
    ManifestCleanup cleanup,
    NedStatusWriter statusWriter,
    NedEvents events,
    PodFindings findings,
    SweepFindings swept,
    NodeRoom room,
    ReconcilerSettings settings,
    ILogger<NedReconciler> logger)
{
    /// <summary>Label of a namespace whose NEDs are left alone by a Reconciler that watches all namespaces.</summary>
    public const string IgnoreLabel = "k8s.oblv.com/ignore";

    // An object that is in the way has none of our labels, so no watch tells when it goes. As a failure it shares the rate of retries: thousands
    // of NEDs that wait for somebody do not keep the API server busy.
    private static readonly TimeSpan ConflictRecheck = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan UnknownNamespaceRecheck = TimeSpan.FromSeconds(1);

    // A conflict or a server that restarts is over after a try or two and not worth an ERROR that alarms somebody.
    private const int QuietFailures = 4;

    private readonly ConcurrentDictionary<ObjectKey, NedMemory> _memories = new();

    /// <summary>Whether a change is only what the last pass wrote into the status.</summary>
    public bool IsEcho(StoreChange<LiveObject> change) =>
        change is { Before: { } before, After: { } after } && _memories.TryGetValue(after.Key, out var memory) && memory.IsEcho(before, after);

    /// <summary>Makes one pass.</summary>
    /// <param name="key">The NED.</param>
    /// <param name="failures">Passes over it that failed in a row before this one.</param>
    /// <param name="cancellation">Ends the pass between two calls.</param>
    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, int failures, CancellationToken cancellation)
    {
        var isIgnored = stores.IsIgnored(key.Namespace);
        if (stores.Neds.Get(key) is not { } stored || isIgnored == true)
        {
            // Its children go by garbage collection.
            _memories.TryRemove(key, out _);
            configMaps.Forget(key);
            return ReconcileResult.Done;
        }

        // The watches of NEDs and namespaces are two: a new namespace may be known a little later than what is in it.
        if (isIgnored is null)
            return ReconcileResult.LookAgain(UnknownNamespaceRecheck);

        var memory = _memories.GetOrAdd(key, _ => new NedMemory());
        memory.IsAlive = false;
        var live = memory.Latest(NedKind.Resource, stored);
        if (live.IsBeingDeleted)
            return ReconcileResult.Done;
        try
        {
            RequireServedNamespace(key);
            var ned = Read(live);
            RequireRunnable(ned.Spec);
            var values = await configMaps.ReadAsync(key, ned, memory, cancellation);
            var manifest = NedManifest.Of(ned, values);
            var deployment = await EnsureChildrenAsync(live, ned, manifest, memory, cancellation);
            var expected = ExpectedMeasurements.Of(ned.Spec.Enclave, manifest.Digest, settings.EnclaveImages);
            await statusWriter.WriteAsync(live, Observe(live, ned, deployment, null), expected, memory, cancellation);
            await cleanup.RunAsync(live, deployment, manifest.ConfigMapName, cancellation);
            return ReconcileResult.Done;
        }
        catch (Exception failure) when (ProblemOf(failure, live) is { } problem)
        {
            LogProblem(logger, problem.Reason, problem.Message);
            if (problem.OftenPasses && failures < QuietFailures)
                return ReconcileResult.Retry();
            if (problem.NeedsHelp || failures >= QuietFailures)
                await statusWriter.WriteAsync(live, Observe(live, null, KnownDeployment(live, memory), problem), null, memory, cancellation);
            return ReconcileResult.Retry(problem.NeedsHelp ? ConflictRecheck : (failure as IRetryLater)?.RetryAfter);
        }
    }

    private async Task<LiveObject> EnsureChildrenAsync(
        LiveObject live, NitroEnclaveDeployment ned, NedManifest manifest, NedMemory memory, CancellationToken cancellation)
    {
        // The manifest first: a pod must never be made before the ConfigMap that it mounts.
        var configMap = await children.EnsureAsync(
            ResourceKind.ConfigMap, stores.ConfigMaps, ManifestConfigMap.Fields(live, manifest), live, memory, cancellation);
        if (configMap.Created)
        {
            events.Record(live, "Normal", Reasons.ManifestCreated, "Reconcile",
                $"Created ConfigMap {manifest.ConfigMapName}; the manifest's digest is {manifest.Digest}.");
        }

        var deployment = await children.EnsureAsync(
            ResourceKind.Deployment, stores.Deployments, EnclaveDeployment.Fields(live, ned, manifest), live, memory, cancellation,
            EnclaveDeployment.Preparation);
        if (EnclaveService.Fields(live, ned) is { } service)
            await children.EnsureAsync(ResourceKind.Service, stores.Services, service, live, memory, cancellation);
        else
            await children.RemoveAsync(ResourceKind.Service, stores.Services, live.Key, live, cancellation);
        return deployment.Live;
    }

    private static NitroEnclaveDeployment Read(LiveObject live) =>
        KubernetesJson.Deserialize<NitroEnclaveDeployment>(Encoding.UTF8.GetString(live.Text))
        ?? throw new JsonException("the object is null");

    private LiveObject? KnownDeployment(LiveObject ned, NedMemory memory) =>
        stores.Deployments.Get(ned.Key) is { } deployment && deployment.OwnerUid == ned.Uid
            ? memory.Latest(ResourceKind.Deployment, deployment)
            : null;

    private NedObservation Observe(LiveObject live, NitroEnclaveDeployment? ned, LiveObject? deployment, NedProblem? problem) => new(
        live.Key.Namespace,
        live.Key.Name,
        live.Generation,
        ned?.Spec.Replicas ?? (live.At("spec", "replicas") is null ? NedDefaults.Replicas : live.CountAt("spec", "replicas")),
        ned?.Spec.Paused ?? false,
        deployment is null ? null : DeploymentObservation.Of(deployment),
        problem,
        PodTrouble.Of(stores.Pods.Find(ClusterStores.PodsOf(live.Key)), findings.Of, room),
        swept.Of(stores.Pods.Find(ClusterStores.PodsOf(live.Key))));

    // Admission has warned of it.
    private static void RequireRunnable(NitroEnclaveDeploymentSpec spec)
    {
        var paths = NotYetRunnable.Of(spec);
        if (paths.Count == 0)
            return;
        var more = paths.Count > 10 ? $" and {paths.Count - 10} more" : "";
        throw new NedProblemException(new NedProblem(Reasons.NotSupportedYet,
            $"This version cannot run {string.Join(", ", paths.Take(10))}{more} yet; remove it from the spec. What ran before goes on running.", NeedsHelp: true));
    }

    // Nobody would check this NED nor inject its pods, which would run the placeholder's image.
    private void RequireServedNamespace(ObjectKey key)
    {
        if (settings.ExcludedNamespaces.Contains(key.Namespace))
        {
            throw new NedProblemException(new NedProblem(Reasons.NamespaceExcluded,
                $"The webhooks leave the namespace {key.Namespace} out, so that the platform cannot keep itself from starting; delete this {key.Name} and create it in another namespace.",
                NeedsHelp: true));
        }
    }

    // What a failure means to whoever owns the NED; null for a failure that is a defect of ours.
    private static NedProblem? ProblemOf(Exception failure, LiveObject ned) => failure switch
    {
        NedProblemException known => known.Problem,
        NedSpecException spec => new NedProblem(Reasons.InvalidSpec, $"{spec.Message}; correct the spec and apply it again.", true),
        ManifestException manifest => new NedProblem(Reasons.InvalidManifest, $"{manifest.Message}; correct the spec and apply it again.", true),
        JsonException json => new NedProblem(Reasons.InvalidSpec,
            $"The spec of {ned.Key} cannot be read: {json.Message.TrimEnd('.')}; correct it and apply it again (kubectl explain ned.spec).", true),
        ApiException { Code: HttpStatusCode.NotFound } or ApiException { IsNamespaceTerminating: true } =>
            new NedProblem(Reasons.NotFound, $"{failure.Message}; it is tried again, and passes if the NED or its namespace is being deleted.", false),
        ApiException known when Refusal.OfChild(known) is { } problem => problem,
        ApiException { IsTransient: false } refused => new NedProblem(Reasons.ApplyRefused,
            $"The API server refused {refused.Message}; mend what it names, it is tried again by itself.", true),
        ApiException transient => new NedProblem(Reasons.ApiServerUnavailable, $"{transient.Message}; it is tried again by itself.", false),
        HttpRequestException or IOException or TimeoutException =>
            new NedProblem(Reasons.ApiServerUnreachable, $"{failure.Message}; it is tried again by itself.", false),
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Reason}: {Problem}")]
    private static partial void LogProblem(ILogger logger, string reason, string problem);
}
