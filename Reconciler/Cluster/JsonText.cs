using System.Globalization;
using System.Text.Json;

namespace Enclaves.Reconciler.Cluster;

/// <summary>Strings out of the API server's JSON, where a member may be absent or of another kind.</summary>
internal static class JsonText
{
    /// <summary>The string member of an object, or null.</summary>
    public static string? Text(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The time that a text says (RFC 3339), or null.</summary>
    public static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time) ? time : null;
}
