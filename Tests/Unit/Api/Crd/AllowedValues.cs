using System.Globalization;

namespace Enclaves.Tests.Unit.Api.Crd;

/// <summary>What a field may be, in words: the bounds of its schema, then the rules that the Webhook adds.</summary>
internal static class AllowedValues
{
    public static string Of(Dictionary<string, object> schema, string? rules)
    {
        var bounds = string.Join(", ", Bounds(schema));
        return bounds.Length == 0 ? rules ?? "" : rules is null ? bounds : $"{bounds}. {rules}";
    }

    private static IEnumerable<string> Bounds(Dictionary<string, object> schema)
    {
        if (schema.TryGetValue("enum", out var values))
            yield return string.Join(", ", ((List<object>)values).Select(value => (string)value == "" ? "empty" : $"`{value}`"));
        if (schema.TryGetValue("minimum", out var minimum))
            yield return Equals(schema["maximum"], int.MaxValue) ? $"{minimum} and more" : $"{minimum} to {schema["maximum"]}";
        if (Length(schema) is { } length)
            yield return length;
        if (schema.TryGetValue("maxItems", out var items))
            yield return $"{items} at most";
        if (schema.TryGetValue("items", out var item) && Length((Dictionary<string, object>)item) is { } each)
            yield return $"each {each}";
    }

    private static string? Length(Dictionary<string, object> schema) => schema.TryGetValue("maxLength", out var maximum)
        ? string.Create(CultureInfo.InvariantCulture, $"{schema["minLength"]} to {maximum} characters")
        : null;
}
