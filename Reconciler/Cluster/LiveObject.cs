using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Enclaves.Api;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Cluster;

/// <summary>
/// An object as the API server has it. Kept as JSON: a typed model would lose every field that is newer than our client library, and with
/// it the difference between a field that is absent and one that is empty. Kept as text, which takes a third of what a parsed document
/// does, and read anew where a value is asked for: most objects are only ever looked at when they change.
/// </summary>
internal sealed class LiveObject : IStored
{
    // Quotation marks in annotations would otherwise take six bytes each.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private static readonly KeptFields OurMetadata = KeptFields.Only(("metadata", KeptFields.But(("managedFields", null))));
    private static readonly KeptFields Identity =
        KeptFields.Only(("metadata", KeptFields.Only(("name", null), ("namespace", null), ("uid", null), ("resourceVersion", null))));

    private readonly byte[] _json;

    private LiveObject(JsonElement json, KeptFields kept)
    {
        var metadata = json.GetProperty("metadata");
        Key = new ObjectKey(SharedNames.Of(metadata.Text("namespace") ?? ""), metadata.Text("name") ?? "");
        ResourceVersion = metadata.Text("resourceVersion") ?? "";
        IsBeingDeleted = metadata.TryGetProperty("deletionTimestamp", out _);
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, Compact))
            kept.Write(writer, json);
        _json = buffer.WrittenSpan.ToArray();
    }

    /// <summary>What is kept of the object, parsed at each call.</summary>
    public JsonElement Json => At() ?? default;

    /// <summary>The same as text.</summary>
    public ReadOnlySpan<byte> Text => _json;

    /// <inheritdoc />
    public ObjectKey Key { get; }

    /// <inheritdoc />
    public string ResourceVersion { get; }

    /// <summary>Tells this object from an earlier or later one of the same name.</summary>
    public string Uid => TextAt("metadata", "uid") ?? "";

    /// <summary>Whether its deletion has begun.</summary>
    public bool IsBeingDeleted { get; }

    /// <summary>Uid of the owner with controller: true, or null.</summary>
    public string? OwnerUid => Controller()?.Text("uid");

    /// <summary>Name of that owner.</summary>
    public string? OwnerName => Controller()?.Text("name");

    /// <summary>Kind of that owner.</summary>
    public string? OwnerKind => Controller()?.Text("kind");

    /// <summary>Number that the API server counts up with each change of the spec; 0 where a kind has none.</summary>
    public long Generation => Find(["metadata", "generation"], out var value) && value.TokenType == JsonTokenType.Number ? value.GetInt64() : 0;

    /// <summary>Takes over a copy of an object, or null if it is not one (no metadata).</summary>
    /// <param name="json">The object.</param>
    /// <param name="kept">What is kept of it; all but managedFields unless given.</param>
    public static LiveObject? From(JsonElement json, KeptFields? kept = null) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
            ? new LiveObject(json, kept ?? KeptFields.Whole)
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
        return new LiveObject(json, isOurs ? OurMetadata : Identity);
    }

    /// <summary>The value at a path of member names, or null.</summary>
    public JsonElement? At(params ReadOnlySpan<string> path) => Find(path, out var value) ? JsonElement.ParseValue(ref value) : null;

    /// <summary>The string at a path, or null.</summary>
    public string? TextAt(params ReadOnlySpan<string> path) =>
        Find(path, out var value) && value.TokenType == JsonTokenType.String ? value.GetString() : null;

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
        Find(path, out var value) && value.TokenType == JsonTokenType.Number && value.TryGetInt32(out var count) ? count : 0;

    // The reader stands on the first token of the value.
    private bool Find(ReadOnlySpan<string> path, out Utf8JsonReader reader)
    {
        reader = new Utf8JsonReader(_json);
        reader.Read();
        foreach (var name in path)
        {
            if (reader.TokenType != JsonTokenType.StartObject || !Enter(ref reader, name))
                return false;
        }

        return true;
    }

    private static bool Enter(ref Utf8JsonReader reader, string name)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(name);
            reader.Read();
            if (isIt)
                return true;
            reader.Skip();
        }

        return false;
    }

    private JsonElement? Controller()
    {
        if (At("metadata", "ownerReferences") is { ValueKind: JsonValueKind.Array } owners)
        {
            foreach (var owner in owners.EnumerateArray())
            {
                if (owner.TryGetProperty("controller", out var controller) && controller.ValueKind == JsonValueKind.True)
                    return owner;
            }
        }

        return null;
    }
}
