using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using k8s.Models;

namespace Enclaves.Reconciler.Status;

/// <summary>Amounts of resources by name, as pods ask for them and nodes have them.</summary>
internal static class PodRequests
{
    /// <summary>What all containers of a pod ask for together.</summary>
    public static IReadOnlyDictionary<string, decimal> Of(LiveObject pod)
    {
        var sum = new Dictionary<string, decimal>(StringComparer.Ordinal);
        if (pod.At("spec", "containers") is not { ValueKind: JsonValueKind.Array } containers)
            return sum;
        foreach (var container in containers.EnumerateArray())
        {
            if (container.TryGetProperty("resources", out var resources) && resources.TryGetProperty("requests", out var requests))
                Add(sum, requests);
        }

        return sum;
    }

    /// <summary>What a node has for pods.</summary>
    public static IReadOnlyDictionary<string, decimal> Allocatable(LiveObject node)
    {
        var amounts = new Dictionary<string, decimal>(StringComparer.Ordinal);
        if (node.At("status", "allocatable") is { } allocatable)
            Add(amounts, allocatable);
        return amounts;
    }

    /// <summary>Adds amounts to others.</summary>
    public static void Add(Dictionary<string, decimal> sum, IReadOnlyDictionary<string, decimal> more)
    {
        foreach (var (name, amount) in more)
            sum[name] = sum.GetValueOrDefault(name) + amount;
    }

    /// <summary>An amount as a user writes it: bytes in Mi or Gi, what has no unit as a number.</summary>
    public static string Text(string resource, decimal amount) =>
        resource == "memory" || resource.StartsWith("hugepages-", StringComparison.Ordinal)
            ? new ResourceQuantity(amount, 0, ResourceQuantity.SuffixFormat.BinarySI).ToString()
            : amount.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture);

    private static void Add(Dictionary<string, decimal> sum, JsonElement amounts)
    {
        if (amounts.ValueKind != JsonValueKind.Object)
            return;
        foreach (var amount in amounts.EnumerateObject())
        {
            if (amount.Value.ValueKind == JsonValueKind.String)
                sum[amount.Name] = sum.GetValueOrDefault(amount.Name) + new ResourceQuantity(amount.Value.GetString()).ToDecimal();
        }
    }
}
