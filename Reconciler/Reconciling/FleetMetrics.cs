using System.Diagnostics.Metrics;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Leadership;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>
/// What /metrics shows of all enclaves together. Only the replica that works shows it, so that a sum over all replicas counts each once.
/// </summary>
internal sealed class FleetMetrics
{
    private const string Unknown = "Unknown";

    private static readonly string[] Phases = [.. EnclaveStatus.States, Unknown];

    private readonly ClusterStores _stores;
    private readonly EnclaveStatuses _statuses;
    private readonly Func<bool> _leads;

    /// <summary>Creates the instruments.</summary>
    public FleetMetrics(IMeterFactory factory, ClusterStores stores, EnclaveStatuses statuses, LeaderElector? elector = null)
    {
        (_stores, _statuses) = (stores, statuses);
        _leads = () => elector?.Elected.IsCompletedSuccessfully ?? true;
        ByPhase = CountPods;
        var meter = factory.Create(ReconcilerMetrics.Meter);
        meter.CreateObservableGauge("enclaves_by_phase", CountPhases, null, "Enclave pods, by what EnclaveHost last said of its enclave.");
    }

    /// <summary>Counts the enclaves by phase; whatever it does not name is counted as 0, and what is no phase as Unknown.</summary>
    public Func<IReadOnlyDictionary<string, int>> ByPhase { get; set; }

    private IEnumerable<Measurement<int>> CountPhases()
    {
        if (!_leads())
            return [];
        var counts = ByPhase();
        var strangers = counts.Where(count => !Phases.Contains(count.Key, StringComparer.Ordinal)).Sum(count => count.Value);
        return Phases.Select(phase => new Measurement<int>(
            counts.GetValueOrDefault(phase) + (phase == Unknown ? strangers : 0), new KeyValuePair<string, object?>("phase", phase)));
    }

    // A pod is ready in the phase Running and in no other.
    private Dictionary<string, int> CountPods() => _stores.Pods.All
        .GroupBy(pod => _statuses.Last(pod)?.Status?.State ?? (pod.Condition("Ready") is { Status: "True" } ? "Running" : Unknown), StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
}
