using System.Text.Json;
using System.Text.Json.Nodes;

namespace Enclaves.Webhook.Patching;

/// <summary>
/// Turns a tree of what an object should hold into the RFC 6902 operations that are missing, compared with the raw JSON of the
/// request: fields that this program has never heard of stay as they are, no array is replaced as a whole, and where nothing is
/// missing there is no operation. The items of an array are told apart by the keys of <see cref="ArrayKeys"/>.
/// </summary>
internal static class Overlay
{
    /// <summary>Adds what is absent or null, and leaves alone whatever has a value.</summary>
    public static void Fill(PatchBuilder patch, JsonElement existing, JsonObject wanted) =>
        MergeObject(patch, JsonPointer.Root, existing, wanted, ours: false);

    /// <summary>Adds what is absent or null, and replaces values that differ: what is wanted wins.</summary>
    public static void Impose(PatchBuilder patch, JsonElement existing, JsonObject wanted) =>
        MergeObject(patch, JsonPointer.Root, existing, wanted, ours: true);

    private static void MergeObject(PatchBuilder patch, JsonPointer at, JsonElement existing, JsonObject wanted, bool ours)
    {
        foreach (var (name, value) in wanted)
        {
            var path = at.Member(name);
            if (!existing.TryGetProperty(name, out var present) || present.ValueKind == JsonValueKind.Null)
                patch.Add(path, value);
            else
                MergeValue(patch, path, name, present, value, ours);
        }
    }

    private static void MergeValue(PatchBuilder patch, JsonPointer path, string name, JsonElement present, JsonNode? wanted, bool ours)
    {
        switch (wanted)
        {
            case JsonObject members when present.ValueKind == JsonValueKind.Object:
                MergeObject(patch, path, present, members, ours);
                break;
            case JsonArray items when present.ValueKind == JsonValueKind.Array:
                MergeArray(patch, path, name, present, items, ours);
                break;
            // An object where a list belongs, or the like, is for the schema to refuse.
            case JsonValue value when ours && !ScalarValues.Same(present, value):
                patch.Replace(path, value);
                break;
        }
    }

    private static void MergeArray(PatchBuilder patch, JsonPointer path, string name, JsonElement present, JsonArray wanted, bool ours)
    {
        var places = ArrayKeys.Index(name, present);
        foreach (var item in wanted)
        {
            if (!places.TryGetValue(ArrayKeys.Of(name, item!), out var index))
                patch.Add(path.End(), item);
            else if (item is JsonObject members)
                MergeObject(patch, path.Item(index), present[index], members, ours);
        }
    }
}
