using System.Text.Json;

namespace Enclaves.Webhook.Review;

/// <summary>
/// Looks into raw JSON in which anything may have any type: admission comes before the schema is checked. What is absent, null, or not
/// what it is asked for as, is null or empty here, and never an exception.
/// </summary>
internal static class RawJson
{
    /// <summary>The value at a path of members; null where there is none.</summary>
    public static JsonElement? At(this JsonElement from, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (from.ValueKind != JsonValueKind.Object || !from.TryGetProperty(name, out from))
                return null;
        }

        return from.ValueKind == JsonValueKind.Null ? null : from;
    }

    /// <summary>The text; null where it is something else.</summary>
    public static string? Text(this JsonElement? value) => value is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>Whether it is this text.</summary>
    public static bool Is(this JsonElement? value, string text) => value is { ValueKind: JsonValueKind.String } found && found.ValueEquals(text);

    /// <summary>The items; none where it is no array.</summary>
    public static JsonElement.ArrayEnumerator Items(this JsonElement? list) =>
        list is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : default;
}
