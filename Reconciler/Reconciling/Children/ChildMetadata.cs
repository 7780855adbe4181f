using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Reconciling.Children;

/// <summary>What the metadata of every child has in common: name, labels, and the owner reference that garbage collection follows.</summary>
internal static class ChildMetadata
{
    /// <summary>The start of an apply body for a child of this NED.</summary>
    public static JsonObject Body(ResourceKind kind, string name, LiveObject ned) => new()
    {
        ["apiVersion"] = kind.ApiVersion,
        ["kind"] = kind.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = ned.Key.Namespace,
            ["labels"] = Object(NedNames.ChildLabels(ned.Key.Name)),
            ["ownerReferences"] = new JsonArray(new JsonObject
            {
                ["apiVersion"] = NedNames.ApiVersion,
                ["kind"] = NedNames.Kind,
                ["name"] = ned.Key.Name,
                ["uid"] = ned.Uid,
                ["controller"] = true,
                ["blockOwnerDeletion"] = true,
            }),
        },
    };

    /// <summary>A map as JSON; of a user's map and our own, ours wins.</summary>
    public static JsonObject Object(IReadOnlyDictionary<string, string> ours, IReadOnlyDictionary<string, string>? users = null)
    {
        var merged = new JsonObject();
        foreach (var (name, value) in users ?? new Dictionary<string, string>())
            merged[name] = value;
        foreach (var (name, value) in ours)
            merged[name] = value;
        return merged;
    }

    /// <summary>A copy of a value of the NED, or null when it is absent. Copied as JSON, so that nothing newer than our types is lost.</summary>
    public static JsonNode? Copy(JsonElement? value) =>
        value is { ValueKind: not JsonValueKind.Null } present ? JsonNode.Parse(present.GetRawText()) : null;
}
