using System.Runtime.CompilerServices;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Status;

/// <summary>
/// Says of a pod without a node, in numbers, what it asks for and what the nodes with enclaves have: whether it waits until something is free,
/// or no node can ever hold it. Only what enclave pods take is known here; of enclaves and huge pages that is all, of CPU and memory it is not.
/// </summary>
internal sealed class NodeRoom(ObjectStore<LiveObject> nodes, ObjectStore<LiveObject> pods, TimeProvider time)
{
    // Nodes that are named in a sentence.
    private const int MostNamed = 3;

    // A rollout of thousands asks for each of its NEDs; what pods take is added up once a second.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    // Read once for each version of a node or a pod: every pod without a node is weighed against all nodes.
    private readonly ConditionalWeakTable<LiveObject, IReadOnlyDictionary<string, decimal>> _allocatable = [];
    private readonly ConditionalWeakTable<LiveObject, IReadOnlyDictionary<string, decimal>> _requests = [];
    private readonly Lock _lock = new();
    private Dictionary<string, Dictionary<string, decimal>> _taken = [];
    private DateTimeOffset _takenAt;

    /// <summary>The trouble of a pod without a node, with the numbers; unchanged where the nodes say nothing about it.</summary>
    public PodTrouble Weigh(LiveObject pod, PodTrouble trouble)
    {
        if (nodes.Count == 0 || trouble.Reason is not (Reasons.NoFreeDevice or Reasons.NoHugepages or Reasons.NoRoom))
            return trouble;
        var asked = _requests.GetValue(pod, PodRequests.Of);
        if (asked.Keys.FirstOrDefault(IsDevice) is not { } device)
            return trouble;
        var taken = Taken();
        var offers = nodes.All.Select(node => new Offer(node.Key.Name, _allocatable.GetValue(node, PodRequests.Allocatable), taken.GetValueOrDefault(node.Key.Name) ?? []))
            .Where(offer => offer.All(device) > 0).ToList();
        if (offers.Count == 0)
        {
            return trouble with
            {
                Message = $"Pod {pod.Key} asks for {device}, and no node has any: see that the device plugin runs on the nodes with enclaves, or add such a node.",
            };
        }

        if (offers.Exists(offer => asked.All(want => offer.All(want.Key) >= want.Value)))
            return trouble with { Message = $"{trouble.Message.TrimEnd('.')}. {Sentence(asked, offers, Scarcest(Named(asked, trouble.Reason), offers, offer => offer.Free))}" };
        return new PodTrouble(Reasons.NoNodeFits,
            $"No node can ever hold pod {pod.Key}: {Sentence(asked, offers, Scarcest(asked, offers, offer => offer.All))} Ask for less in spec.enclave, or give the nodes more of it.",
            NeedsHelp: true);
    }

    // What the scheduler found to be short; of CPU and memory it alone knows how much is free.
    private static IReadOnlyDictionary<string, decimal> Named(IReadOnlyDictionary<string, decimal> asked, string reason)
    {
        var named = asked.Where(want => reason switch
        {
            Reasons.NoFreeDevice => IsDevice(want.Key),
            Reasons.NoHugepages => want.Key.StartsWith("hugepages-", StringComparison.Ordinal),
            _ => want.Key is "cpu" or "memory",
        }).ToDictionary();
        return named.Count > 0 ? named : asked;
    }

    // The resource of which fewest nodes have as much as is asked for; of several, a device or huge pages rather than what others take too.
    private static string Scarcest(IReadOnlyDictionary<string, decimal> asked, IReadOnlyList<Offer> offers, Func<Offer, Func<string, decimal>> has) => asked
        .OrderBy(want => offers.Count(offer => has(offer)(want.Key) >= want.Value))
        .ThenBy(want => want.Key is "cpu" or "memory")
        .ThenBy(want => want.Key, StringComparer.Ordinal)
        .First().Key;

    private static string Sentence(IReadOnlyDictionary<string, decimal> asked, IReadOnlyList<Offer> offers, string resource)
    {
        string Text(decimal amount) => PodRequests.Text(resource, amount);
        var isOthersToo = resource is "cpu" or "memory";
        var named = offers.OrderByDescending(offer => isOthersToo ? offer.All(resource) : offer.Free(resource)).ThenByDescending(offer => offer.All(resource))
            .ThenBy(offer => offer.Node, StringComparer.Ordinal).Take(MostNamed)
            .Select(offer => isOthersToo ? $"{Text(offer.All(resource))} on {offer.Node}" : $"{Text(offer.Free(resource))} of {Text(offer.All(resource))} on {offer.Node}");
        var more = offers.Count > MostNamed ? $", and no more on {offers.Count - MostNamed} other nodes" : "";
        return $"It asks for {Text(asked[resource])} of {resource}; {(isOthersToo ? "for all pods together there are" : "free are")} {string.Join(", ", named)}{more}.";
    }

    private Dictionary<string, Dictionary<string, decimal>> Taken()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (now - _takenAt < Fresh)
                return _taken;
            (_taken, _takenAt) = ([], now);
            foreach (var pod in pods.All)
            {
                if (pod.TextAt("spec", "nodeName") is not { Length: > 0 } node || pod.TextAt("status", "phase") is "Failed" or "Succeeded")
                    continue;
                if (!_taken.TryGetValue(node, out var sum))
                    _taken[node] = sum = new Dictionary<string, decimal>(StringComparer.Ordinal);
                PodRequests.Add(sum, _requests.GetValue(pod, PodRequests.Of));
            }

            return _taken;
        }
    }

    // Extended resources have a domain in their names (aws.ec2.nitro/nitro_enclaves); what Kubernetes itself counts has none.
    private static bool IsDevice(string resource) => resource.Contains('/');

    private sealed record Offer(string Node, IReadOnlyDictionary<string, decimal> Allocatable, IReadOnlyDictionary<string, decimal> Taken)
    {
        public decimal All(string resource) => Allocatable.GetValueOrDefault(resource);

        public decimal Free(string resource) => Math.Max(0, All(resource) - Taken.GetValueOrDefault(resource));
    }
}
