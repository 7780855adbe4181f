using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>What the Reconciler knows of the cluster without asking.</summary>
internal sealed class ClusterStores
{
    /// <summary>All NEDs that are watched.</summary>
    public ObjectStore<LiveObject> Neds { get; } = new();

    /// <summary>Metadata of all ConfigMaps; manifests among them, by the uid of their owner.</summary>
    public ObjectStore<LiveObject> ConfigMaps { get; } = new(child => child.OwnerUid);

    /// <summary>Deployments with our label.</summary>
    public ObjectStore<LiveObject> Deployments { get; } = new();

    /// <summary>Services with our label.</summary>
    public ObjectStore<LiveObject> Services { get; } = new();

    /// <summary>ReplicaSets of those Deployments, by the uid of their Deployment.</summary>
    public ObjectStore<LiveObject> ReplicaSets { get; } = new(child => child.OwnerUid);

    /// <summary>Enclave pods, by <see cref="PodsOf"/>.</summary>
    public ObjectStore<LiveObject> Pods { get; } = new(pod => pod.TextAt("metadata", "labels", NedLabels.Deployment) is { } ned ? PodsOf(new ObjectKey(pod.Key.Namespace, ned)) : null);

    /// <summary>Events about NEDs, by the uid of their NED; empty where no REST API shows them.</summary>
    public ObjectStore<LiveObject> NedEvents { get; } = new(item => item.TextAt("involvedObject", "uid"));

    /// <summary>Namespaces; empty when only one is watched.</summary>
    public ObjectStore<LiveObject> Namespaces { get; } = new();

    /// <summary>What enclave pods can be put on; empty when only one namespace is watched.</summary>
    public ObjectStore<LiveObject> Nodes { get; } = new();

    /// <summary>Whether only one namespace is watched.</summary>
    public bool IsOfOneNamespace { get; init; }

    /// <summary>Whether a namespace is left alone by its label; null when it is not known yet.</summary>
    public bool? IsIgnored(string space) =>
        IsOfOneNamespace ? false
        : Namespaces.Get(new ObjectKey("", space)) is { } known ? known.TextAt("metadata", "labels", NedReconciler.IgnoreLabel) == "true"
        : null;

    /// <summary>Index value of the pods of one NED.</summary>
    public static string PodsOf(ObjectKey ned) => ned.ToString();
}
