using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Reconciling;

namespace Enclaves.Reconciler.Status;

/// <summary>Writes a NED's status through its sub-resource when it differs, and tells of what has changed in it.</summary>
internal sealed class NedStatusWriter(ApiServer server, NedEvents events, TimeProvider time)
{
    /// <summary>Writes the status that follows from what is observed.</summary>
    public async Task WriteAsync(LiveObject ned, NedObservation observed, ExpectedMeasurements? expected, NedMemory memory, CancellationToken cancellation)
    {
        var status = NedStatus.Compose(ned, observed, expected, time.GetUtcNow());
        if (!status.Differs)
            return;
        var body = new JsonObject
        {
            ["apiVersion"] = NedNames.ApiVersion,
            ["kind"] = NedNames.Kind,
            ["metadata"] = new JsonObject { ["name"] = ned.Key.Name, ["namespace"] = ned.Key.Namespace, ["uid"] = ned.Uid },
            ["status"] = status.Fields,
        };
        memory.Writes(status.Fields);
        var reply = await server.ApplyAsync(NedKind.Resource, ned.Key, body, force: true, "status", cancellation);
        memory.WroteStatus(ned, reply);
        foreach (var change in status.Conditions.Where(IsWorthTelling))
        {
            var isTrouble = change.Now.Status == (change.Type == NedConditions.Stalled ? "True" : "False");
            events.Record(ned, isTrouble ? "Warning" : "Normal", change.Now.Reason, change.Type, change.Now.Message);
        }
    }

    // Ready, Reconciling and a Stalled that only repeats Scheduled would say the same thing again. Enclaves that are not ready yet are
    // no event while they start; the ones that were and no longer are, are.
    private static bool IsWorthTelling(ConditionChange change) => change.IsTransition && change.Type switch
    {
        NedConditions.Scheduled => true,
        NedConditions.EnclavesHealthy => change.Now.Status == "True" || change.StatusBefore == "True" || change.Now.Reason is not (Reasons.EnclavesNotReady or Reasons.NoDeployment),
        NedConditions.Stalled => change.Now.Reason is Reasons.ProgressDeadlineExceeded or Reasons.NoNodeFits,
        _ => false,
    };
}
