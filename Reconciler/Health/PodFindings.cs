using System.Collections.Concurrent;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Health;

/// <summary>
/// What was found out about pods that are not ready, by their uid, and when to look again. Follows the store of pods: a pod that is gone
/// or ready is forgotten, one whose container has changed is looked at anew. Thread-safe.
/// </summary>
internal sealed class PodFindings
{
    // An enclave boots for some seconds, and a node takes some to make a container: what is over by then is not worth a question.
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    // One late answer proves nothing.
    private const int TellingFailures = 3;

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    public PodFindings(ClusterStores stores, TimeProvider time)
    {
        _time = time;
        stores.Pods.Changed += Follow;
    }

    /// <summary>Raised with the key of a NED when something else is known of one of its pods.</summary>
    public event Action<ObjectKey>? Changed;

    /// <summary>Pods that are looked at.</summary>
    public int Count => _entries.Count;

    /// <summary>What was found out about a pod, or null.</summary>
    public PodTrouble? Of(LiveObject pod) => _entries.TryGetValue(pod.Uid, out var entry) ? entry.Trouble : null;

    /// <summary>The pods whose turn it is, the one that has waited longest first.</summary>
    public IReadOnlyList<(LiveObject Pod, PodLookKind Kind)> Due()
    {
        var now = _time.GetUtcNow();
        return [.. _entries.Values.Where(entry => entry.Due <= now).OrderBy(entry => entry.Due).Select(entry => (entry.Pod, entry.Kind))];
    }

    /// <summary>Notes what a look has found.</summary>
    public void Found(LiveObject pod, PodLookKind kind, PodTrouble? trouble) =>
        Update(pod, kind, entry => entry with { Trouble = trouble, Failures = 0, Wait = entry.Trouble == trouble ? Longer(entry.Wait) : FirstWait });

    /// <summary>Notes that a look at an EnclaveHost has failed. What was found before stays until it has failed several times.</summary>
    public void Failed(LiveObject pod, PodLookKind kind, string why) => Update(pod, kind, entry => entry with
    {
        Trouble = entry.Failures + 1 < TellingFailures ? entry.Trouble : EnclaveTrouble.Silent(pod.Key, why),
        Failures = entry.Failures + 1,
        Wait = Longer(entry.Wait),
    });

    /// <summary>Notes that nothing could be learnt, which is not the pod's fault.</summary>
    public void Postpone(LiveObject pod, PodLookKind kind) => Update(pod, kind, entry => entry with { Wait = Longer(entry.Wait) });

    private void Follow(StoreChange<LiveObject> change)
    {
        if (change.Before is { } gone && gone.Uid != change.After?.Uid)
            Remove(gone);
        if (change.After is not { } pod)
            return;
        var kind = PodLook.KindFor(pod);
        if (kind == PodLookKind.None)
        {
            Remove(pod);
            return;
        }

        var restarts = HostContainer.Of(pod)?.RestartCount ?? 0;
        // Another look, or another life of EnclaveHost: what was found of the one before says nothing of it.
        if (!_entries.TryGetValue(pod.Uid, out var entry) || entry.Kind != kind || entry.Restarts != restarts)
            Put(pod, new Entry(pod, kind, restarts, null, 0, FirstWait, _time.GetUtcNow() + FirstWait), entry?.Trouble);
        else
            _entries.TryUpdate(pod.Uid, entry with { Pod = pod }, entry);
    }

    private void Update(LiveObject pod, PodLookKind kind, Func<Entry, Entry> change)
    {
        while (_entries.TryGetValue(pod.Uid, out var entry))
        {
            // The pod has moved on while it was looked at.
            if (entry.Kind != kind || entry.Restarts != (HostContainer.Of(pod)?.RestartCount ?? 0))
                return;
            var next = change(entry);
            next = next with { Due = _time.GetUtcNow() + next.Wait };
            if (!_entries.TryUpdate(pod.Uid, next, entry))
                continue;
            Tell(pod, entry.Trouble, next.Trouble);
            return;
        }
    }

    private void Put(LiveObject pod, Entry entry, PodTrouble? before)
    {
        _entries[pod.Uid] = entry;
        Tell(pod, before, entry.Trouble);
    }

    private void Remove(LiveObject pod)
    {
        if (_entries.TryRemove(pod.Uid, out var entry))
            Tell(pod, entry.Trouble, null);
    }

    private void Tell(LiveObject pod, PodTrouble? before, PodTrouble? after)
    {
        if (before != after && pod.TextAt("metadata", "labels", NedLabels.Deployment) is { } ned)
            Changed?.Invoke(new ObjectKey(pod.Key.Namespace, ned));
    }

    private static TimeSpan Longer(TimeSpan wait) => wait * 1.5 < LongestWait ? wait * 1.5 : LongestWait;

    private sealed record Entry(LiveObject Pod, PodLookKind Kind, int Restarts, PodTrouble? Trouble, int Failures, TimeSpan Wait, DateTimeOffset Due);
}
