using System.Text.Json.Nodes;
using Enclaves.Api;

namespace Enclaves.Tests.Unit.Webhook.Properties;

/// <summary>What a NED is after admission, by the words of the API's documentation and in another way than the mutation: by changing a tree.</summary>
internal static class FilledNed
{
    public static JsonNode Of(JsonNode ned)
    {
        var filled = ned.DeepClone();
        if (filled["metadata"] is JsonValue or JsonArray)
            return WithSpec(filled, null);
        var name = filled["metadata"]?["name"] is JsonValue value && value.TryGetValue(out string? text) && text.Length is > 0 and <= 63 ? text : null;
        if (name is not null)
            Default(Section(Section(filled, "metadata"), "labels"), "k8s.oblv.com/deployment", name);
        return WithSpec(filled, name);
    }

    private static JsonNode WithSpec(JsonNode ned, string? name)
    {
        if (Section(ned, "spec") is not { } spec)
            return ned;
        var exposes = Exposes(spec["userPlugins"], plugin => plugin) || Exposes(spec["privilegedPlugins"], plugin => Member(plugin, "spec"));
        FillStrategy(spec);
        FillPages(spec);
        if (exposes)
            Default(Section(spec, "service"), "type", "ClusterIP");
        if (name is null)
            return ned;
        var labels = Section(Section(Section(spec, "template"), "metadata"), "labels");
        foreach (var (key, label) in new[]
        {
            ("app.kubernetes.io/name", name), ("app.kubernetes.io/managed-by", "enclaves"), ("app.kubernetes.io/component", "enclave"), ("k8s.oblv.com/deployment", name),
        })
            Default(labels, key, label);
        return ned;
    }

    private static void FillStrategy(JsonObject spec)
    {
        if (Section(spec, "strategy") is not { } strategy)
            return;
        if (strategy["type"] is JsonValue type && type.TryGetValue(out string? word) && word != "RollingUpdate")
            return;
        Default(strategy, "type", "RollingUpdate");
        var rolling = Section(strategy, "rollingUpdate");
        Default(rolling, "maxSurge", "25%");
        Default(rolling, "maxUnavailable", "25%");
    }

    private static void FillPages(JsonObject spec)
    {
        var memory = Member(spec["enclave"], "memory");
        var quantity = memory is JsonValue value && value.TryGetValue(out string? word) ? word : memory?.ToJsonString() ?? "1Gi";
        if (MemoryQuantity.TryParse(quantity, out var bytes, out _))
            Default(Section(spec, "enclave"), "hugepageSize", bytes >= 4L << 30 && bytes % (1L << 30) == 0 ? "1Gi" : "2Mi");
    }

    private static bool Exposes(JsonNode? plugins, Func<JsonNode?, JsonNode?> container) => plugins is JsonArray list
        && list.Any(plugin => Member(container(plugin), "ports") is JsonArray ports && ports.Any(port => Member(port, "hostPort") is not null));

    private static JsonNode? Member(JsonNode? of, string name) => (of as JsonObject)?[name];

    // An absent section is made; one of another type is the schema's to refuse, and stays.
    private static JsonObject? Section(JsonNode? of, string name)
    {
        if (of is not JsonObject parent)
            return null;
        if (parent[name] is null)
            parent[name] = new JsonObject();
        return parent[name] as JsonObject;
    }

    private static void Default(JsonObject? section, string name, string value)
    {
        if (section is not null && section[name] is null)
            section[name] = value;
    }
}
