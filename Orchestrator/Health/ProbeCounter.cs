namespace Enclaves.Orchestrator.Health;

/// <summary>
/// Counts results of one kind in a row against their thresholds, as a kubelet's prober worker does (Kubernetes, pkg/kubelet/prober/worker.go):
/// the other kind begins a new row, a look that says nothing leaves the row as it is.
/// </summary>
internal sealed class ProbeCounter(int successThreshold, int failureThreshold)
{
    private ProbeOutcome _last = ProbeOutcome.Unknown;
    private int _inRow;

    /// <summary>Adds a result; true when there are enough of its kind in a row for it to count.</summary>
    public bool Add(ProbeOutcome outcome)
    {
        if (outcome == ProbeOutcome.Unknown)
            return false;
        _inRow = outcome == _last ? Math.Min(_inRow, int.MaxValue - 1) + 1 : 1;
        _last = outcome;
        return _inRow >= (outcome == ProbeOutcome.Success ? successThreshold : failureThreshold);
    }
}
