using System.Text.Json.Nodes;

namespace Enclaves.Webhook.Patching;

/// <summary>Collects the operations of a JSON patch, RFC 6902, in the order they are to be applied.</summary>
internal sealed class PatchBuilder
{
    private readonly JsonArray _operations = [];

    /// <summary>Number of operations so far.</summary>
    public int Count => _operations.Count;

    /// <summary>Sets a member, or puts an item at the end of an array.</summary>
    public void Add(JsonPointer path, JsonNode? value) => Operation("add", path, value);

    /// <summary>Changes a member that exists.</summary>
    public void Replace(JsonPointer path, JsonNode? value) => Operation("replace", path, value);

    /// <summary>The patch as JSON text, or null where there is nothing to do.</summary>
    public string? ToJson() => Count == 0 ? null : _operations.ToJsonString();

    private void Operation(string operation, JsonPointer path, JsonNode? value) => _operations.Add(new JsonObject
    {
        ["op"] = operation,
        ["path"] = path.ToString(),
        ["value"] = value?.DeepClone(),
    });
}
