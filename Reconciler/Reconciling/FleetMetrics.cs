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

    private static readonly string[] Phases = [.. EnclaveStatus.States, HealthSweep.SilentState, Unknown];

    private readonly ClusterStores _stores;
    private readonly EnclaveStatuses _statuses;
    private readonly Func<bool> _leads;

    /// <summary>Creates the instruments.</summary>
    public FleetMetrics(IMeterFactory factory, ClusterStores stores, EnclaveStatuses statuses, LeaderElector? elector = null)
    {
        (_stores, _statuses) = (stores, statuses);
        _leads = () => elector?.Elected.IsCompletedSuccessfully ?? true;
        var meter = factory.Create(ReconcilerMetrics.Meter);
        meter.CreateObservableGauge("enclaves_by_phase", CountPhases, null, "Enclave pods, by what EnclaveHost last said of its enclave.");
    }

    /// <summary>The phase of an enclave: what was last said of it, and what is no phase as Unknown.</summary>
    /// <param name="last">What its EnclaveHost said, or null where it was not asked.</param>
    /// <param name="isReady">Whether its pod is ready, as it is in the phase Running and in no other.</param>
    internal static string Phase(EnclaveReport? last, bool isReady) => last switch
    {
        null => isReady ? "Running" : Unknown,
        { Status.State: { } said } when EnclaveStatus.States.Contains(said, StringComparer.Ordinal) => said,
        { Status: null } => HealthSweep.SilentState,
        _ => Unknown,
    };

    private IEnumerable<Measurement<int>> CountPhases()
    {
        if (!_leads())
            return [];
        var counts = _stores.Pods.All.CountBy(pod => Phase(_statuses.Last(pod), pod.Condition("Ready") is { Status: "True" }), StringComparer.Ordinal)
            .ToDictionary(StringComparer.Ordinal);
        return Phases.Select(phase => new Measurement<int>(counts.GetValueOrDefault(phase), new KeyValuePair<string, object?>("phase", phase)));
    }
}
