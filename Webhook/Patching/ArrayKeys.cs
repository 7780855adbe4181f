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
        string[] key = array switch
        {
            "containers" or "env" or "volumes" => ["name"],
            "ports" => ["containerPort"],
            "volumeMounts" => ["mountPath"],
            "sources" => ["secret", "name"],
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
}
