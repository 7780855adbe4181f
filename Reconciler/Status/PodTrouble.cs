using System.Text.RegularExpressions;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Status;

/// <summary>Why pods are not ready: a named cause, and a sentence that says what to do.</summary>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Message">One sentence about one of the pods; with the next step.</param>
/// <param name="NeedsHelp">Whether it never passes by itself.</param>
internal sealed partial record PodTrouble(string Reason, string Message, bool NeedsHelp = false)
{
    /// <summary>The cause that most pods share, told of the pod whose name comes first; null when none is known.</summary>
    /// <param name="pods">The pods of one NED.</param>
    /// <param name="found">What was found out about a pod of which its own status tells nothing, or null.</param>
    /// <param name="room">What the nodes have, to say it of pods without one; null to leave that out.</param>
    public static PodTrouble? Of(IEnumerable<LiveObject> pods, Func<LiveObject, PodTrouble?>? found = null, NodeRoom? room = null) => pods
        .Where(pod => !pod.IsBeingDeleted)
        .OrderBy(pod => pod.Key.Name, StringComparer.Ordinal)
        .Select(pod => OfPod(pod, found, room))
        .OfType<PodTrouble>()
        .GroupBy(trouble => trouble.Reason, StringComparer.Ordinal)
        .MaxBy(group => group.Count())?.First();

    private static PodTrouble? OfPod(LiveObject pod, Func<LiveObject, PodTrouble?>? found, NodeRoom? room)
    {
        if (pod.Condition("Ready") is { Status: "True" })
            return null;
        if (pod.Condition("PodScheduled") is { Status: "False", Message: { } message })
        {
            var trouble = Unschedulable(pod, message);
            return room?.Weigh(pod, trouble) ?? trouble;
        }

        if (pod.TextAt("status", "reason") is { Length: > 0 } reason)
        {
            return new(Reasons.PodFailed,
                $"Pod {pod.Key} has failed: {Quote.Of(reason)}: {Quote.Of(pod.TextAt("status", "message"))}; its place is taken by another.");
        }

        var host = HostContainer.Of(pod);
        return host?.Waits() ?? found?.Invoke(pod) ?? host?.Restarts();
    }

    private static PodTrouble Unschedulable(LiveObject pod, string message)
    {
        var (reason, next) = message switch
        {
            _ when message.Contains("no nodes available", StringComparison.Ordinal) => (Reasons.NoNodes, "the cluster has no node that takes pods: add one with enclaves"),
            _ when Hugepages().IsMatch(message) => (Reasons.NoHugepages, "free huge pages on the nodes are too few: ask for less in spec.enclave.memory, or reserve more of spec.enclave.hugepageSize on the nodes"),
            _ when ExtendedResource().IsMatch(message) => (Reasons.NoFreeDevice, "every enclave of the nodes is taken, or their device plugin is not running: add nodes, or set spec.strategy.rollingUpdate.maxSurge to 0 where a rollout has no room"),
            _ when Ordinary().IsMatch(message) => (Reasons.NoRoom, "the nodes have too little left: add nodes, or ask for less"),
            _ when message.Contains("affinity", StringComparison.Ordinal) || message.Contains("selector", StringComparison.Ordinal) =>
                (Reasons.NoMatchingNode, "no node has the label of nodes with enclaves (the chart's enclave.nodeLabel) and all that spec.template asks for"),
            _ => (Reasons.Unschedulable, "the scheduler tries again by itself when nodes change"),
        };
        return new(reason, $"Pod {pod.Key} cannot be scheduled: {Quote.Of(message)}; {next}.");
    }

    [GeneratedRegex(@"Insufficient hugepages-")]
    private static partial Regex Hugepages();

    // Those have a domain: aws.ec2.nitro/nitro_enclaves by default.
    [GeneratedRegex(@"Insufficient [a-zA-Z0-9.-]+/")]
    private static partial Regex ExtendedResource();

    [GeneratedRegex(@"Insufficient (cpu|memory|ephemeral-storage)|Too many pods")]
    private static partial Regex Ordinary();
}
