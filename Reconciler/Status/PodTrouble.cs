using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Status;

/// <summary>Why pods are not ready, as far as their own status tells: a named cause, and a sentence that says what to do.</summary>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Message">One sentence about one of the pods; with the next step.</param>
internal sealed partial record PodTrouble(string Reason, string Message)
{
    // As long as a termination message may be at most (kubelet, 4096 bytes) would drown the rest.
    private const int LongestQuote = 600;

    // Restarts after which a container that ends again and again is worth a word; before, it is only starting.
    private const int TellingRestarts = 1;

    /// <summary>The cause that most pods share, told of the pod whose name comes first; null when none is known.</summary>
    public static PodTrouble? Of(IEnumerable<LiveObject> pods) => pods
        .Where(pod => !pod.IsBeingDeleted)
        .OrderBy(pod => pod.Key.Name, StringComparer.Ordinal)
        .Select(OfPod)
        .OfType<PodTrouble>()
        .GroupBy(trouble => trouble.Reason, StringComparer.Ordinal)
        .MaxBy(group => group.Count())?.First();

    private static PodTrouble? OfPod(LiveObject pod)
    {
        if (pod.Condition("Ready") is { Status: "True" })
            return null;
        if (pod.Condition("PodScheduled") is { Status: "False", Message: { } message })
            return Unschedulable(pod, message);
        if (pod.TextAt("status", "reason") is { Length: > 0 } reason)
            return new("PodFailed", $"Pod {pod.Key} has failed: {reason}: {Quote(pod.TextAt("status", "message"))}; its place is taken by another.");
        return HostContainer(pod) is { } host ? OfContainer(pod, host) : null;
    }

    private static PodTrouble Unschedulable(LiveObject pod, string message)
    {
        var (reason, next) = message switch
        {
            _ when message.Contains("no nodes available", StringComparison.Ordinal) => ("NoNodes", "the cluster has no node that takes pods: add one with enclaves"),
            _ when Hugepages().IsMatch(message) => ("NoHugepages", "free huge pages on the nodes are too few: ask for less in spec.enclave.memory, or reserve more of spec.enclave.hugepageSize on the nodes"),
            _ when ExtendedResource().IsMatch(message) => ("NoFreeDevice", "every enclave of the nodes is taken, or their device plugin is not running: add nodes, or set spec.strategy.rollingUpdate.maxSurge to 0 where a rollout has no room"),
            _ when Ordinary().IsMatch(message) => ("NoRoom", "the nodes have too little left: add nodes, or ask for less"),
            _ when message.Contains("affinity", StringComparison.Ordinal) || message.Contains("selector", StringComparison.Ordinal) =>
                ("NoMatchingNode", "no node has the label of nodes with enclaves (the chart's enclave.nodeLabel) and all that spec.template asks for"),
            _ => ("Unschedulable", "the scheduler tries again by itself when nodes change"),
        };
        return new(reason, $"Pod {pod.Key} cannot be scheduled: {Quote(message)}; {next}.");
    }

    private static PodTrouble? OfContainer(LiveObject pod, JsonElement host)
    {
        var waiting = host.TryGetProperty("state", out var state) && state.TryGetProperty("waiting", out var detail) ? detail : (JsonElement?)null;
        var word = waiting?.Text("reason");
        if (word is "ErrImagePull" or "ImagePullBackOff" or "InvalidImageName" or "ErrImageNeverPull" or "RegistryUnavailable")
        {
            return new("HostImagePull", $"Pod {pod.Key} cannot pull EnclaveHost's image {host.Text("image")}: {Quote(waiting?.Text("message") ?? word)}; "
                + "look at the chart's images.enclaveHost and at spec.template.imagePullSecrets.");
        }

        if (word is "CreateContainerConfigError" or "CreateContainerError" or "RunContainerError")
            return new("HostNotStarted", $"The node cannot start EnclaveHost of pod {pod.Key}: {Quote(waiting?.Text("message") ?? word)}; mend what it names, it is tried again by itself.");
        var restarts = host.TryGetProperty("restartCount", out var count) && count.TryGetInt32(out var number) ? number : 0;
        return restarts < TellingRestarts ? null : new("EnclaveEndsAgainAndAgain", string.Create(CultureInfo.InvariantCulture,
            $"EnclaveHost of pod {pod.Key} has ended {restarts} times, the last time with: {LastWords(host)}; kubectl -n {pod.Key.Namespace} logs {pod.Key.Name} --previous"));
    }

    private static string LastWords(JsonElement host)
    {
        foreach (var name in new[] { "state", "lastState" })
        {
            if (host.TryGetProperty(name, out var state) && state.TryGetProperty("terminated", out var end))
            {
                var code = end.TryGetProperty("exitCode", out var exit) && exit.TryGetInt32(out var number) ? number : -1;
                return string.Create(CultureInfo.InvariantCulture, $"exit code {code} ({end.Text("reason") ?? "no reason"}) {Quote(end.Text("message"))}").TrimEnd();
            }
        }

        return "nothing known of it";
    }

    private static JsonElement? HostContainer(LiveObject pod)
    {
        if (pod.At("status", "containerStatuses") is not { ValueKind: JsonValueKind.Array } statuses)
            return null;
        foreach (var status in statuses.EnumerateArray())
        {
            if (status.Text("name") == NedNames.HostContainer)
                return status;
        }

        return null;
    }

    private static string Quote(string? text)
    {
        var line = (text ?? "").ReplaceLineEndings(" ").Trim().TrimEnd('.');
        return line.Length <= LongestQuote ? line : line[..LongestQuote] + "…";
    }

    [GeneratedRegex(@"Insufficient hugepages-")]
    private static partial Regex Hugepages();

    // Those have a domain: aws.ec2.nitro/nitro_enclaves by default.
    [GeneratedRegex(@"Insufficient [a-zA-Z0-9.-]+/")]
    private static partial Regex ExtendedResource();

    [GeneratedRegex(@"Insufficient (cpu|memory|ephemeral-storage)|Too many pods")]
    private static partial Regex Ordinary();
}
