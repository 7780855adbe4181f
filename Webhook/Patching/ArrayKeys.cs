using System.Text.Json;
using System.Text.Json.Nodes;

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
        var sought = At(wanted, key);
        var index = 0;
        foreach (var item in present.EnumerateArray())
        {
            if (JsonNode.DeepEquals(At(JsonNode.Parse(item.GetRawText()), key), sought))
                return index;
            index++;
        }

        return -1;
    }

    private static JsonNode? At(JsonNode? node, string[] key)
    {
        foreach (var name in key)
            node = (node as JsonObject)?[name];
        return node;
    }
}
