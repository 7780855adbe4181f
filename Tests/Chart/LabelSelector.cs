using System.Text.Json.Nodes;

namespace Enclaves.Tests.Chart;

/// <summary>Whether a selector takes an object with these labels, as the API server decides it.</summary>
internal static class LabelSelector
{
    public static bool Matches(JsonNode? selector, IReadOnlyDictionary<string, string> labels) =>
        (selector?["matchLabels"] is not JsonObject wanted || wanted.All(entry => labels.TryGetValue(entry.Key, out var value) && value == (string?)entry.Value))
        && (selector?["matchExpressions"] is not JsonArray expressions || expressions.All(expression => Holds(expression!, labels)));

    /// <summary>The labels of an object's metadata.</summary>
    public static IReadOnlyDictionary<string, string> Labels(JsonNode item) =>
        item["metadata"]!["labels"]!.AsObject().ToDictionary(entry => entry.Key, entry => (string)entry.Value!);

    private static bool Holds(JsonNode expression, IReadOnlyDictionary<string, string> labels)
    {
        var has = labels.TryGetValue((string)expression["key"]!, out var value);
        var isListed = has && (expression["values"]?.AsArray() ?? []).Any(item => (string?)item == value);
        return (string?)expression["operator"] switch
        {
            "In" => isListed,
            "NotIn" => !isListed,
            "Exists" => has,
            "DoesNotExist" => !has,
            var unknown => throw new InvalidOperationException($"operator {unknown}"),
        };
    }
}
