using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Webhook.Review;
using Microsoft.AspNetCore.JsonPatch.SystemTextJson;
using Shouldly;

namespace Enclaves.Tests.Unit.Webhook;

/// <summary>Applies decisions with an implementation of RFC 6902 that is not ours.</summary>
internal static class Patched
{
    public static AdmissionRequest Request(JsonNode? value, string operation = "CREATE", JsonNode? old = null) => new()
    {
        Uid = "1",
        Operation = operation,
        Kind = new GroupVersionKind("", "", ""),
        Name = "demo",
        Namespace = "team",
        Object = value is null ? null : JsonDocument.Parse(value.ToJsonString()).RootElement,
        OldObject = old is null ? null : JsonDocument.Parse(old.ToJsonString()).RootElement,
    };

    public static JsonNode Apply(JsonNode value, AdmissionDecision decision)
    {
        decision.Allowed.ShouldBeTrue(string.Join("; ", decision.Causes));
        if (decision.Patch is null)
            return value.DeepClone();
        var patch = JsonSerializer.Deserialize<JsonPatchDocument>(decision.Patch)!;
        object result = value.DeepClone();
        patch.ApplyTo(result);
        return (JsonNode)result;
    }

    public static string? At(this JsonNode node, string path)
    {
        JsonNode? at = node;
        foreach (var step in path.Split('|'))
        {
            at = at is JsonArray array
                ? int.TryParse(step, out var index) ? array[index] : array.FirstOrDefault(item => (string?)item!["name"] == step)
                : at?[step];
        }

        return at?.ToJsonString().Trim('"');
    }
}
