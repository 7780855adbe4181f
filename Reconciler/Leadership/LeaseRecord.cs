using System.Globalization;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Leadership;

/// <summary>What a Lease says: coordination.k8s.io/v1, spec.</summary>
/// <param name="Holder">Who holds it; empty for nobody.</param>
/// <param name="Seconds">For how long after its last renewal.</param>
/// <param name="RenewTime">Its last renewal, by the holder's clock: only ever compared for equality.</param>
/// <param name="Transitions">How often it has changed hands.</param>
/// <param name="Address">Where the holder's REST API is; empty when it does not say.</param>
internal sealed record LeaseRecord(string Holder, int Seconds, string RenewTime, int Transitions, string Address = "")
{
    // What only the leader has, Hangfire's dashboard for one, the others get from there.
    private const string AddressAnnotation = "k8s.oblv.com/rest-address";

    /// <summary>Reads a Lease.</summary>
    public static LeaseRecord Of(LiveObject lease) => new(
        lease.TextAt("spec", "holderIdentity") ?? "", lease.CountAt("spec", "leaseDurationSeconds"),
        lease.TextAt("spec", "renewTime") ?? "", lease.CountAt("spec", "leaseTransitions"),
        lease.TextAt("metadata", "annotations", AddressAnnotation) ?? "");

    /// <summary>A Lease for this holder, renewed at this time; with an earlier one, in its place and only if nobody else was quicker.</summary>
    public static JsonObject Write(LeaseSettings settings, string holder, LiveObject? earlier, DateTimeOffset now)
    {
        var before = earlier is null ? null : Of(earlier);
        var changesHands = before is not null && before.Holder != holder && holder.Length > 0;
        var moment = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        var body = earlier is null
            ? new JsonObject
            {
                ["apiVersion"] = ResourceKind.Lease.ApiVersion,
                ["kind"] = ResourceKind.Lease.Kind,
                ["metadata"] = new JsonObject { ["name"] = settings.Name, ["namespace"] = settings.Namespace },
            }
            : JsonObject.Create(earlier.Json)!;
        var annotations = body["metadata"]!["annotations"] as JsonObject ?? [];
        annotations.Remove(AddressAnnotation);
        if (holder.Length > 0 && settings.Address.Length > 0)
            annotations[AddressAnnotation] = settings.Address;
        body["metadata"]!["annotations"] = annotations.DeepClone();
        body["spec"] = new JsonObject
        {
            ["holderIdentity"] = holder,
            // Of nobody, one second: the next one need not wait.
            ["leaseDurationSeconds"] = holder.Length == 0 ? 1 : (int)Math.Ceiling(settings.Duration.TotalSeconds),
            ["acquireTime"] = changesHands || earlier is null ? moment : earlier.TextAt("spec", "acquireTime") ?? moment,
            ["renewTime"] = moment,
            ["leaseTransitions"] = (before?.Transitions ?? 0) + (changesHands ? 1 : 0),
        };
        return body;
    }
}
