using System.Collections.Concurrent;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Health;

/// <summary>
/// What sweeps have found wrong with enclaves whose pods are ready, by the uid of the pod; what keeps others from being ready is
/// <see cref="PodFindings"/>'. A pod that is gone is forgotten. Thread-safe.
/// </summary>
internal sealed class SweepFindings
{
    private readonly ConcurrentDictionary<string, PodTrouble> _troubles = new(StringComparer.Ordinal);

    public SweepFindings(ClusterStores stores) => stores.Pods.Changed += change =>
    {
        if (change.Before is { } gone && gone.Uid != change.After?.Uid)
            Found(gone, null);
    };

    /// <summary>Raised with the key of a NED when something else is known of one of its pods.</summary>
    public event Action<ObjectKey>? Changed;

    /// <summary>Notes what is wrong with the enclave of a pod, or that nothing is.</summary>
    public void Found(LiveObject pod, PodTrouble? trouble)
    {
        var before = _troubles.GetValueOrDefault(pod.Uid);
        if (trouble is null)
            _troubles.TryRemove(pod.Uid, out _);
        else
            _troubles[pod.Uid] = trouble;
        if (before != trouble && pod.TextAt("metadata", "labels", NedLabels.Deployment) is { } ned)
            Changed?.Invoke(new ObjectKey(pod.Key.Namespace, ned));
    }

    /// <summary>What is wrong with most of these pods that are ready for all that, told of the one whose name comes first; null when nothing is.</summary>
    public PodTrouble? Of(IEnumerable<LiveObject> pods) => _troubles.IsEmpty ? null : pods
        .Where(pod => !pod.IsBeingDeleted && pod.Condition("Ready") is { Status: "True" })
        .OrderBy(pod => pod.Key.Name, StringComparer.Ordinal)
        .Select(pod => _troubles.GetValueOrDefault(pod.Uid))
        .OfType<PodTrouble>()
        .GroupBy(trouble => trouble.Reason, StringComparer.Ordinal)
        .MaxBy(group => group.Count())?.First();
}
