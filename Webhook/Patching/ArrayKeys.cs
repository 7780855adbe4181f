using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Patching;

/// <summary>What tells the items of a pod's arrays apart, by the array's name. A pod's arrays can be long: each is gone through once.</summary>
internal static class ArrayKeys
{
    /// <summary>Where the item with a key is; of several, the first. Items without a key are nowhere.</summary>
    public static Dictionary<string, int> Index(string array, JsonElement present)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var index = 0;
        foreach (var item in present.EnumerateArray())
        {
            if (Of(array, item) is { } key)
                places.TryAdd(key, index);
            index++;
        }

        return places;
    }

    /// <summary>The key of an item that is wanted.</summary>
    /// <exception cref="NotSupportedException">Nothing is known of such an array.</exception>
    public static string Of(string array, JsonNode wanted) =>
        Of(array, JsonSerializer.SerializeToElement(wanted)) ?? throw new NotSupportedException($"an item of '{array}' has no key: {wanted.ToJsonString()}");

    private static string? Of(string array, JsonElement item) => array switch
    {
        "containers" or "env" or "volumes" => Scalar(item.At("name")),
        "ports" => Scalar(item.At("containerPort")),
        "volumeMounts" => Scalar(item.At("mountPath")),
        "sources" => Source(item.At("secret")),
        "items" => Scalar(item.At("key")),
        "drop" or "supplementalGroups" => Scalar(item),
        _ => throw new NotSupportedException($"the items of '{array}' have no known key"),
    };

    // A Secret may be needed as a whole and by its keys, and be optional for one of both only.
    private static string? Source(JsonElement? secret) => secret is { } source && Scalar(source.At("name")) is { } name
        ? $"{source.At("optional") is { ValueKind: JsonValueKind.True }} {source.At("items") is null} {name}"
        : null;

    // Numbers by value: 30, 30.0 and 3e1 are the same. One that is beyond a decimal is none that is wanted.
    private static string? Scalar(JsonElement? value) => value switch
    {
        { ValueKind: JsonValueKind.String } text => "'" + text.GetString(),
        { ValueKind: JsonValueKind.Number } number when number.TryGetDecimal(out var amount) => amount.ToString("G29", CultureInfo.InvariantCulture),
        _ => null,
    };
}
