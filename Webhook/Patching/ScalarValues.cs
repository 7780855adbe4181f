using System.Text.Json;
using System.Text.Json.Nodes;

namespace Enclaves.Webhook.Patching;

/// <summary>Compares what an object holds with what is wanted of it, of the types that are ever wanted: texts, whole numbers, booleans.</summary>
internal static class ScalarValues
{
    /// <summary>Whether both are the same. A value of the object may be anything; one that is no scalar is never the same.</summary>
    /// <exception cref="NotSupportedException">The wanted value has a type that is not compared.</exception>
    public static bool Same(JsonElement present, JsonValue wanted)
    {
        if (wanted.TryGetValue(out string? text))
            return present.ValueKind == JsonValueKind.String && present.ValueEquals(text);
        if (wanted.TryGetValue(out bool truth))
            return present.ValueKind == (truth ? JsonValueKind.True : JsonValueKind.False);
        if (wanted.TryGetValue(out int number))
            return IsNumber(present, number);
        if (wanted.TryGetValue(out long large))
            return IsNumber(present, large);
        throw new NotSupportedException($"{wanted.GetPath()}: values like {wanted.ToJsonString()} are not compared");
    }

    // By value: 30, 30.0 and 3e1 are the same. One that is beyond a decimal is none that is wanted.
    private static bool IsNumber(JsonElement present, long wanted) =>
        present.ValueKind == JsonValueKind.Number && present.TryGetDecimal(out var number) && number == wanted;
}
