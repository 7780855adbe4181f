using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>Deletes manifests that no revision of a NED uses any longer.</summary>
internal sealed partial class ManifestCleanup(ApiServer server, ClusterStores stores, ILogger<ManifestCleanup> logger)
{
    /// <summary>Deletes what is unused. Does nothing, and asks nobody, in the usual case that every manifest is in use.</summary>
    public async Task RunAsync(LiveObject ned, LiveObject deployment, string current, CancellationToken cancellation)
    {
        // Before the Deployment's controller has seen the latest template, it may still make a ReplicaSet of the one before.
        if (deployment.CountAt("status", "observedGeneration") < deployment.Generation)
            return;
        var unused = Unused(ned, current, stores.ReplicaSets.Find(deployment.Uid));
        if (unused.Count == 0)
            return;
        // The store may lag behind a ReplicaSet that has just been made, so the server has the last word.
        var selector = Uri.EscapeDataString($"{NedLabels.Deployment}={ned.Key.Name}");
        var list = await server.ListAsync(
            ResourceKind.ReplicaSet, ned.Key.Namespace, $"labelSelector={selector}", set => LiveObject.From(set, ResourceKind.ReplicaSet.Kept), cancellation);
        foreach (var manifest in Unused(ned, current, list.Items))
        {
            await server.DeleteAsync(ResourceKind.ConfigMap, manifest, cancellation);
            LogDeleted(logger, manifest.Key.Name);
        }
    }

    /// <summary>The NEDs that seem to have a manifest which nothing uses, by what is known without asking anybody.</summary>
    public IReadOnlyList<ObjectKey> WithUnused() =>
    [
        .. stores.Neds.All
            .Where(ned => !ned.IsBeingDeleted && stores.Deployments.Get(ned.Key) is { } deployment && deployment.OwnerUid == ned.Uid
                && deployment.TextAt("spec", "template", "metadata", "annotations", NedAnnotations.Manifest) is { } current
                && Unused(ned, current, stores.ReplicaSets.Find(deployment.Uid)).Count > 0)
            .Select(ned => ned.Key),
    ];

    private List<LiveObject> Unused(LiveObject ned, string current, IReadOnlyList<LiveObject> replicaSets)
    {
        var used = replicaSets
            .Select(set => set.TextAt("spec", "template", "metadata", "annotations", NedAnnotations.Manifest))
            .OfType<string>()
            .Append(current)
            .ToHashSet();
        return [.. stores.ConfigMaps.Find(ned.Uid).Where(manifest => !manifest.IsBeingDeleted && !used.Contains(manifest.Key.Name))];
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted the manifest {Name}, which no ReplicaSet uses")]
    private static partial void LogDeleted(ILogger logger, string name);
}
