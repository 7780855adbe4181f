using System.Text.Json.Nodes;

namespace Enclaves.Tests.Chart;

/// <summary>The chart's default values, and its schema.</summary>
internal static class ValuesTree
{
    /// <summary>values.yaml.</summary>
    public static JsonObject Defaults => Yaml.One(Repository.Read("charts/enclaves/values.yaml")).AsObject();

    /// <summary>values.schema.json.</summary>
    public static JsonObject Schema => JsonNode.Parse(Repository.Read("charts/enclaves/values.schema.json"))!.AsObject();

    /// <summary>The dotted path of every value, and the value: an object is not one itself, unless it is empty by default.</summary>
    public static IEnumerable<(string Path, JsonNode? Value)> Leaves(JsonObject values, string prefix = "") => values.SelectMany(entry =>
        entry.Value is JsonObject { Count: > 0 } inner
            ? Leaves(inner, $"{prefix}{entry.Key}.")
            : [($"{prefix}{entry.Key}", entry.Value)]);

    /// <summary>The dotted path of every object, "" for the root.</summary>
    public static IEnumerable<string> Objects(JsonObject values, string path = "") =>
        values.Where(entry => entry.Value is JsonObject)
            .SelectMany(entry => Objects(entry.Value!.AsObject(), path.Length == 0 ? entry.Key : $"{path}.{entry.Key}"))
            .Prepend(path);
}
