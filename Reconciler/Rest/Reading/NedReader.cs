using System.Text.Json;
using Enclaves.Api;
using Enclaves.Reconciler.Actions;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>Reads a NED as the API server has it into what the REST API shows of it. Pure.</summary>
internal static class NedReader
{
    private const string NotObserved = "NotObserved";
    private static readonly JsonElement EmptySpec = JsonElement.Parse("{}");

    /// <summary>In short.</summary>
    public static NedItem Item(LiveObject ned)
    {
        var (health, reason, message) = HealthOf(ned);
        return new NedItem
        {
            Namespace = ned.Key.Namespace,
            Name = ned.Key.Name,
            Uid = ned.Uid,
            Generation = ned.Generation,
            CreatedAt = JsonText.Time(ned.TextAt("metadata", "creationTimestamp")) ?? default,
            Deleting = ned.IsBeingDeleted,
            Labels = Texts(ned.At("metadata", "labels")) ?? new Dictionary<string, string>(),
            Replicas = Wanted(ned),
            ReadyReplicas = ned.CountAt("status", "readyReplicas"),
            Ready = ned.TextAt("status", "ready"),
            Status = ned.TextAt("status", "status"),
            Health = health,
            Reason = reason,
            Message = message,
        };
    }

    /// <summary>Whole.</summary>
    public static NedDetail Detail(LiveObject ned)
    {
        var item = Item(ned);
        return new NedDetail
        {
            Namespace = item.Namespace,
            Name = item.Name,
            Uid = item.Uid,
            Generation = item.Generation,
            CreatedAt = item.CreatedAt,
            Deleting = item.Deleting,
            Labels = item.Labels,
            Replicas = item.Replicas,
            ReadyReplicas = item.ReadyReplicas,
            Ready = item.Ready,
            Status = item.Status,
            Health = item.Health,
            Reason = item.Reason,
            Message = item.Message,
            UpdatedReplicas = ned.CountAt("status", "updatedReplicas"),
            AvailableReplicas = ned.CountAt("status", "availableReplicas"),
            ManifestDigest = ned.TextAt("status", "manifestDigest"),
            Measurements = Measurements(ned),
            Conditions = Conditions(ned),
            WaitingActions = [.. NedAction.Of(ned).Select(action => new AcceptedAction(action.Id, action.Kind, action.At, action.By))],
            Spec = ned.At("spec") ?? EmptySpec,
        };
    }

    // The same rules in the same order as docs/argocd/health.lua.
    private static (NedHealth Health, string Reason, string Message) HealthOf(LiveObject ned)
    {
        if (ned.At("status", "conditions") is null)
            return (NedHealth.Progressing, NotObserved, "The Reconciler has not looked at it yet.");
        if (ned.CountAt("status", "observedGeneration") != ned.Generation)
            return (NedHealth.Progressing, NotObserved, "The Reconciler has not looked at the current spec yet.");
        if (ned.Condition(NedConditions.Stalled) is { Status: "True" } stalled)
            return (NedHealth.Degraded, stalled.Reason ?? "", stalled.Message ?? "");
        if (ned.Condition(NedConditions.Reconciling) is { Status: "True" } reconciling)
            return (NedHealth.Progressing, reconciling.Reason ?? "", reconciling.Message ?? "");
        if (ned.At("spec", "paused") is { ValueKind: JsonValueKind.True })
            return (NedHealth.Suspended, "Paused", "Rollouts are paused: set spec.paused to false to let them go on.");
        if (ned.Condition(NedConditions.Ready) is not { } ready)
            return (NedHealth.Progressing, NotObserved, "The condition Ready is not there yet.");
        return (ready.Status switch { "True" => NedHealth.Healthy, "False" => NedHealth.Degraded, _ => NedHealth.Progressing }, ready.Reason ?? "", ready.Message ?? "");
    }

    private static int Wanted(LiveObject ned) => ned.At("spec", "replicas") is null ? NedDefaults.Replicas : ned.CountAt("spec", "replicas");

    private static List<NedCondition> Conditions(LiveObject ned) =>
        ned.At("status", "conditions") is { ValueKind: JsonValueKind.Array } conditions
            ? [.. conditions.EnumerateArray().Select(condition => new NedCondition(
                condition.Text("type") ?? "", condition.Text("status") ?? "", condition.Text("reason") ?? "", condition.Text("message") ?? "", JsonText.Time(condition.Text("lastTransitionTime"))))]
            : [];

    /// <summary>What its status says that a client should expect; null while that is not known.</summary>
    public static IReadOnlyDictionary<string, string>? Measurements(LiveObject ned) => Texts(ned.At("status", "measurements"));

    private static Dictionary<string, string>? Texts(JsonElement? texts) => texts is { ValueKind: JsonValueKind.Object } members
        ? members.EnumerateObject().Where(member => member.Value.ValueKind == JsonValueKind.String).ToDictionary(member => member.Name, member => member.Value.GetString()!)
        : null;
}
