using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Status;

/// <summary>A condition that is about to be written, with what it was before.</summary>
internal readonly record struct ConditionChange(string Type, Verdict Now, string? StatusBefore, string? ReasonBefore)
{
    /// <summary>Whether status or reason have changed: what is worth telling.</summary>
    public bool IsTransition => Now.Status != StatusBefore || Now.Reason != ReasonBefore;
}

/// <summary>The status of a NED as it should be, and how that differs from the present one.</summary>
internal sealed record NedStatus(JsonObject Fields, IReadOnlyList<ConditionChange> Conditions, bool Differs)
{
    // A condition's message is bounded by the API conventions.
    private const int MaxMessage = 32768;
    private const string Measurements = "measurements";

    /// <summary>Composes the status.</summary>
    /// <param name="ned">The NED with its present status.</param>
    /// <param name="observed">What the conditions depend on.</param>
    /// <param name="expected">What its enclaves measure, or null when there is no manifest; then what is known stays.</param>
    /// <param name="now">The time of a condition whose status changes.</param>
    public static NedStatus Compose(LiveObject ned, NedObservation observed, ExpectedMeasurements? expected, DateTimeOffset now)
    {
        var before = ReadConditions(ned);
        var changes = ConditionPolicies.All.Select(condition =>
        {
            before.TryGetValue(condition.Type, out var old);
            return new ConditionChange(condition.Type, condition.Policy(observed), old.Status, old.Reason);
        }).ToList();
        var conditions = new JsonArray([.. changes.Select(change => (JsonNode)Condition(change, before, observed.Generation, now))]);
        var deployment = observed.Deployment;
        var fields = new JsonObject
        {
            ["status"] = observed.Problem is null ? NedStatusWords.Scheduled : NedStatusWords.Error,
            ["ready"] = string.Create(CultureInfo.InvariantCulture, $"{deployment?.Ready ?? 0}/{observed.Replicas}"),
            ["observedGeneration"] = observed.Generation,
            ["replicas"] = deployment?.Total ?? 0,
            ["updatedReplicas"] = deployment?.Updated ?? 0,
            ["readyReplicas"] = deployment?.Ready ?? 0,
            ["availableReplicas"] = deployment?.Available ?? 0,
            ["selector"] = $"{NedLabels.Deployment}={observed.Name}",
            ["conditions"] = conditions,
        };
        if ((expected?.ManifestDigest ?? ned.TextAt("status", "manifestDigest")) is { } digest)
            fields["manifestDigest"] = digest;
        if ((expected is null ? Present(ned, Measurements) : Texts(expected.Registers)) is { } registers)
            fields[Measurements] = registers;
        return new NedStatus(fields, changes, !IsWritten(fields, ned));
    }

    private static bool IsWritten(JsonObject fields, LiveObject ned) =>
        fields.All(field => Present(ned, field.Key) is { } live && JsonNode.DeepEquals(field.Value, live))
        && (fields.ContainsKey(Measurements) || Present(ned, Measurements) is null);

    private static JsonNode? Present(LiveObject ned, string field) => ned.At("status", field) is { } live ? JsonNode.Parse(live.GetRawText()) : null;

    private static JsonObject? Texts(IReadOnlyDictionary<string, string>? texts) =>
        texts is { Count: > 0 } ? new JsonObject(texts.Select(text => KeyValuePair.Create(text.Key, (JsonNode?)text.Value))) : null;

    private static JsonObject Condition(
        ConditionChange change, Dictionary<string, (string? Status, string? Reason, string? Since)> before, long generation, DateTimeOffset now)
    {
        // The time is that of the last change of status; another reason or message leaves it as it is.
        var since = change.Now.Status == change.StatusBefore ? before[change.Type].Since : null;
        return new JsonObject
        {
            ["type"] = change.Type,
            ["status"] = change.Now.Status,
            ["reason"] = change.Now.Reason,
            ["message"] = change.Now.Message.Length <= MaxMessage ? change.Now.Message : change.Now.Message[..MaxMessage],
            ["lastTransitionTime"] = since ?? now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["observedGeneration"] = generation,
        };
    }

    private static Dictionary<string, (string? Status, string? Reason, string? Since)> ReadConditions(LiveObject ned)
    {
        var conditions = new Dictionary<string, (string?, string?, string?)>();
        if (ned.At("status", "conditions") is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (var condition in list.EnumerateArray())
            {
                if (condition.Text("type") is { } type)
                    conditions[type] = (condition.Text("status"), condition.Text("reason"), condition.Text("lastTransitionTime"));
            }
        }

        return conditions;
    }
}
