using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Patching;

/// <summary>What tells the items of a pod's arrays apart, by the array's name.</summary>
internal static class ArrayKeys
{
    /// <summary>Index of the item that is the wanted one, or -1.</summary>
    /// <exception cref="NotSupportedException">Nothing is known of such an array.</exception>
    public static int IndexOf(string array, JsonElement present, JsonNode wanted)
    {
        if (array == "sources")
            return IndexOfSource(present, wanted["secret"]!.AsObject());
        string[] key = array switch
        {
            "containers" or "env" or "volumes" => ["name"],
            "ports" => ["containerPort"],
            "volumeMounts" => ["mountPath"],
            "items" => ["key"],
            "drop" or "supplementalGroups" => [],
            _ => throw new NotSupportedException($"the items of '{array}' have no known key"),
        };
        // An item of a list of ours has its key.
        var sought = key.Aggregate(wanted, (node, name) => node[name]!).AsValue();
        var index = 0;
        foreach (var item in present.EnumerateArray())
        {
            if (item.At(key) is { } found && ScalarValues.Same(found, sought))
                return index;
            index++;
        }

        return -1;
    }

    // A Secret may be needed as a whole and by its keys, and be optional for one of both only.
    private static int IndexOfSource(JsonElement present, JsonObject secret)
    {
        var (name, optional, hasItems) = ((string)secret["name"]!, (bool?)secret["optional"] ?? false, secret.ContainsKey("items"));
        var index = 0;
        foreach (var item in present.EnumerateArray())
        {
            var isOptional = item.At("secret", "optional") is { ValueKind: JsonValueKind.True };
            if (item.At("secret", "name").Is(name) && isOptional == optional && item.At("secret", "items") is not null == hasItems)
                return index;
            index++;
        }

        return -1;
    }
}
