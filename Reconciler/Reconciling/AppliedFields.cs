using System.Text.Json;
using System.Text.Json.Nodes;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>
/// Compares the fields we apply with a live object: only what we apply counts, as only that is ours. What others added beside it (a
/// label, a container, a default of the API server) is no difference; what they changed of ours is one.
/// </summary>
internal static class AppliedFields
{
    private const int MaxDifferences = 20;

    // Lists whose items have an identity of their own, so that others may add to them; every other list is ours as a whole.
    private static readonly HashSet<string> SharedLists =
        ["containers", "initContainers", "volumes", "ports", "ownerReferences", "imagePullSecrets", "topologySpreadConstraints"];

    // Maps that are ours as a whole: one member more means other pods or other nodes.
    private static readonly HashSet<string> WholeMaps = ["selector", "matchLabels", "nodeSelector"];

    // Absent means something else than the empty value.
    private static readonly HashSet<string> NeverEmpty = ["automountServiceAccountToken"];

    /// <summary>Paths at which the live object is not as applied, at most a handful; empty when there is nothing to do.</summary>
    public static IReadOnlyList<string> Differences(JsonNode? applied, JsonElement? live)
    {
        var differences = new List<string>();
        Compare(applied, live, "", "", differences);
        return differences;
    }

    /// <summary>The same for a whole object. Its apiVersion and kind are left out: the items of a list come without them.</summary>
    public static IReadOnlyList<string> ObjectDifferences(JsonObject applied, JsonElement live)
    {
        var differences = new List<string>();
        foreach (var (member, value) in applied.Where(member => member.Key is not ("apiVersion" or "kind")))
            Compare(value, live.TryGetProperty(member, out var counterpart) ? counterpart : null, member, $".{member}", differences);
        return differences;
    }

    private static void Compare(JsonNode? applied, JsonElement? live, string name, string path, List<string> differences)
    {
        if (differences.Count >= MaxDifferences || (!NeverEmpty.Contains(name) && IsEmpty(applied) && IsEmpty(live)))
            return;
        switch (applied)
        {
            case JsonObject members when live is null || live.Value.ValueKind == JsonValueKind.Object:
                CompareMembers(members, live, name, path, differences);
                break;
            case JsonArray items when live is { ValueKind: JsonValueKind.Array } list:
                if (!(SharedLists.Contains(name) ? ContainsEach(items, list) : EqualsInOrder(items, list)))
                    differences.Add(path);
                break;
            default:
                if (live is not { } value || !SameScalar(applied, value))
                    differences.Add(path);
                break;
        }
    }

    private static void CompareMembers(JsonObject members, JsonElement? live, string name, string path, List<string> differences)
    {
        foreach (var (member, value) in members)
        {
            JsonElement? counterpart = live is { } present && present.TryGetProperty(member, out var found) ? found : null;
            Compare(value, counterpart, member, $"{path}.{member}", differences);
        }

        if (WholeMaps.Contains(name) && live is { } whole && whole.EnumerateObject().Any(member => !members.ContainsKey(member.Name)))
            differences.Add(path);
    }

    private static bool ContainsEach(JsonArray applied, JsonElement live) =>
        applied.All(item => live.EnumerateArray().Any(candidate => Differences(item, candidate).Count == 0));

    private static bool EqualsInOrder(JsonArray applied, JsonElement live) =>
        applied.Count == live.GetArrayLength()
        && applied.Zip(live.EnumerateArray()).All(pair => Differences(pair.First, pair.Second).Count == 0);

    private static bool SameScalar(JsonNode? applied, JsonElement live)
    {
        if (applied is not JsonValue value)
            return false;
        var wanted = value.GetValueKind();
        if (wanted != live.ValueKind)
            return false;
        return wanted switch
        {
            JsonValueKind.String => value.GetValue<string>() == live.GetString(),
            JsonValueKind.Number => decimal.TryParse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture, out var left)
                && live.TryGetDecimal(out var right) && left == right,
            _ => true,
        };
    }

    // The API server leaves out what is empty, so empty and absent are the same.
    private static bool IsEmpty(JsonNode? node) => node is null || node switch
    {
        JsonObject members => members.All(member => !NeverEmpty.Contains(member.Key) && IsEmpty(member.Value)),
        JsonArray items => items.Count == 0,
        JsonValue value => value.GetValueKind() switch
        {
            JsonValueKind.String => value.GetValue<string>().Length == 0,
            JsonValueKind.Number => value.ToJsonString() == "0",
            JsonValueKind.False => true,
            _ => false,
        },
        _ => false,
    };

    private static bool IsEmpty(JsonElement? element) => element is not { } value || value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().All(member => IsEmpty(member.Value)),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.String => value.GetString()!.Length == 0,
        JsonValueKind.Number => value.GetRawText() == "0",
        JsonValueKind.True => false,
        _ => true,
    };
}
