using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Webhook.Patching;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Injection;

/// <summary>Keeps a pod to nodes with a label, besides all that it asks of its node itself.</summary>
internal static class NodeAffinity
{
    private static readonly string[] ToTerms = ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];

    /// <summary>Adds what is missing. One term of several is enough for a node: the label is asked for in each of them.</summary>
    public static void Require(PatchBuilder patch, JsonElement pod, string label, string value)
    {
        if (pod.At(ToTerms) is not { ValueKind: JsonValueKind.Array } terms)
        {
            Overlay.Impose(patch, pod, ToTerms[..^1].Reverse().Aggregate(
                new JsonObject { [ToTerms[^1]] = new JsonArray(Term(label, value)) }, (inner, name) => new JsonObject { [name] = inner }));
            return;
        }

        var path = ToTerms.Aggregate(JsonPointer.Root, (at, name) => at.Member(name));
        if (terms.GetArrayLength() == 0)
            patch.Add(path.End(), Term(label, value));
        var index = 0;
        foreach (var term in terms.EnumerateArray())
            RequireIn(patch, path.Item(index++), term, label, value);
    }

    private static void RequireIn(PatchBuilder patch, JsonPointer path, JsonElement term, string label, string value)
    {
        // A term that asks for nothing selects no node; with ours it would select some.
        if (!AsksFor(term, "matchExpressions") && !AsksFor(term, "matchFields"))
            return;
        if (term.At("matchExpressions") is not { } present)
            patch.Add(path.Member("matchExpressions"), new JsonArray(Expression(label, value)));
        else if (present.ValueKind == JsonValueKind.Array && !present.EnumerateArray().Any(expression => IsOurs(expression, label, value)))
            patch.Add(path.Member("matchExpressions").End(), Expression(label, value));
    }

    private static bool AsksFor(JsonElement term, string what) => term.At(what) is { ValueKind: JsonValueKind.Array } asked && asked.GetArrayLength() > 0;

    private static bool IsOurs(JsonElement expression, string label, string value) =>
        expression.At("key").Is(label) && expression.At("operator").Is("In")
        && expression.At("values") is { ValueKind: JsonValueKind.Array } values && values.GetArrayLength() == 1
        && values[0] is { ValueKind: JsonValueKind.String } only && only.ValueEquals(value);

    private static JsonObject Term(string label, string value) => new() { ["matchExpressions"] = new JsonArray(Expression(label, value)) };

    private static JsonObject Expression(string label, string value) =>
        new() { ["key"] = label, ["operator"] = "In", ["values"] = new JsonArray(value) };
}
