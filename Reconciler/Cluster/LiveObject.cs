using System.Buffers;
using System.Text.Json;
using Enclaves.Api;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Cluster;

/// <summary>
/// An object as the API server has it. Kept as JSON: a typed model would lose every field that is newer than our client library, and with
/// it the difference between a field that is absent and one that is empty.
/// </summary>
internal sealed class LiveObject : IStored
{
    private static readonly string[] Identity = ["name", "namespace", "uid", "resourceVersion"];

    private LiveObject(JsonElement json)
    {
        Json = json;
        var metadata = json.GetProperty("metadata");
        Key = new ObjectKey(metadata.Text("namespace") ?? "", metadata.Text("name") ?? "");
        ResourceVersion = metadata.Text("resourceVersion") ?? "";
        Uid = metadata.Text("uid") ?? "";
        IsBeingDeleted = metadata.TryGetProperty("deletionTimestamp", out _);
        (OwnerUid, OwnerName, OwnerKind) = Controller(metadata);
    }

    /// <summary>The whole object without managedFields, which are large and which nobody here reads.</summary>
    public JsonElement Json { get; }

    /// <inheritdoc />
    public ObjectKey Key { get; }

    /// <inheritdoc />
    public string ResourceVersion { get; }

    /// <summary>Tells this object from an earlier or later one of the same name.</summary>
    public string Uid { get; }

    /// <summary>Whether its deletion has begun.</summary>
    public bool IsBeingDeleted { get; }

    /// <summary>Uid of the owner with controller: true, or null.</summary>
    public string? OwnerUid { get; }

    /// <summary>Name of that owner.</summary>
    public string? OwnerName { get; }

    /// <summary>Kind of that owner.</summary>
    public string? OwnerKind { get; }

    /// <summary>Number that the API server counts up with each change of the spec; 0 where a kind has none.</summary>
    public long Generation => At("metadata", "generation") is { ValueKind: JsonValueKind.Number } number ? number.GetInt64() : 0;

    /// <summary>Takes over a copy of an object, or null if it is not one (no metadata).</summary>
    /// <param name="json">The object.</param>
    /// <param name="unused">A member that nobody here reads and that is not kept, or null.</param>
    public static LiveObject? From(JsonElement json, string? unused = null) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
            ? new LiveObject(WithoutManagedFields(json, unused))
            : null;

    /// <summary>
    /// Takes over the metadata of an object that may be somebody else's, or null if it has none. Of one without our label only what
    /// identifies it and its version stay: its annotations may be as large as its content.
    /// </summary>
    public static LiveObject? MetadataOf(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object)
            return null;
        var isOurs = metadata.TryGetProperty("labels", out var labels) && labels.Text(NedLabels.ManagedBy) == NedLabels.ManagedByValue;
        return new LiveObject(Copy(writer => WriteMetadata(writer, metadata, isOurs ? null : Identity)));
    }

    /// <summary>The value at a path of member names, or null.</summary>
    public JsonElement? At(params ReadOnlySpan<string> path)
    {
        var element = Json;
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                return null;
        }

        return element;
    }

    /// <summary>The string at a path, or null.</summary>
    public string? TextAt(params ReadOnlySpan<string> path) =>
        At(path) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>What the object's status says of a condition, or null when it says nothing.</summary>
    public (string? Status, string? Reason, string? Message)? Condition(string type)
    {
        if (At("status", "conditions") is not { ValueKind: JsonValueKind.Array } conditions)
            return null;
        foreach (var condition in conditions.EnumerateArray())
        {
            if (condition.Text("type") == type)
                return (condition.Text("status"), condition.Text("reason"), condition.Text("message"));
        }

        return null;
    }

    /// <summary>The whole number at a path, 0 when absent, as the API server omits zeros.</summary>
    public int CountAt(params ReadOnlySpan<string> path) =>
        At(path) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var count) ? count : 0;

    private static JsonElement WithoutManagedFields(JsonElement json, string? unused) => Copy(writer =>
    {
        foreach (var member in json.EnumerateObject())
        {
            if (member.NameEquals("metadata"))
                WriteMetadata(writer, member.Value, null);
            else if (unused is null || !member.NameEquals(unused))
                member.WriteTo(writer);
        }
    });

    private static void WriteMetadata(Utf8JsonWriter writer, JsonElement metadata, string[]? only)
    {
        writer.WriteStartObject("metadata");
        foreach (var field in metadata.EnumerateObject())
        {
            if (only is null ? !field.NameEquals("managedFields") : only.Contains(field.Name, StringComparer.Ordinal))
                field.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private static JsonElement Copy(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }

    private static (string? Uid, string? Name, string? Kind) Controller(JsonElement metadata)
    {
        if (metadata.TryGetProperty("ownerReferences", out var owners) && owners.ValueKind == JsonValueKind.Array)
        {
            foreach (var owner in owners.EnumerateArray())
            {
                if (owner.TryGetProperty("controller", out var controller) && controller.ValueKind == JsonValueKind.True)
                    return (owner.Text("uid"), owner.Text("name"), owner.Text("kind"));
            }
        }

        return default;
    }
}
