using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Health;

/// <summary>An event about a pod, as kubelets write them (core/v1).</summary>
/// <param name="At">When it happened last.</param>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Message">What the kubelet says.</param>
internal sealed record KubeletEvent(DateTimeOffset At, string Reason, string Message)
{
    // A pod in trouble has a handful, each with a count; what comes beyond is not worth reading.
    private const int Most = 100;

    // By whichever API it was written, one of them is set.
    private static readonly string[] Times = ["lastTimestamp", "eventTime", "firstTimestamp"];

    /// <summary>
    /// The events about one pod. A look at one pod and never a watch: the events of a cluster are many, and hardly any is about us.
    /// </summary>
    public static async Task<IReadOnlyList<KubeletEvent>> ListAsync(ApiServer server, LiveObject pod, CancellationToken cancellation)
    {
        var query = $"limit={Most}&fieldSelector=" + Uri.EscapeDataString($"involvedObject.uid={pod.Uid}");
        return (await server.ListAsync(ResourceKind.Event, pod.Key.Namespace, query, Read, cancellation)).Items;
    }

    /// <summary>What keeps the node from making the containers of a pod, or null when nothing does that is known.</summary>
    public static PodTrouble? Trouble(LiveObject pod, IReadOnlyList<KubeletEvent> events)
    {
        // Volumes and network come before the image: what was said of them before it was pulled is over.
        var passed = events.Where(item => item.Reason is "Pulling" or "Pulled" or "Created" or "Started").Select(item => item.At).DefaultIfEmpty().Max();
        var failures = events.Where(item => item.Reason.StartsWith("Failed", StringComparison.Ordinal) && item.Reason != "FailedScheduling" && item.At >= passed)
            .OrderByDescending(item => item.At).ToList();
        // That volumes were waited for in vain is said in between, and says less.
        return failures.Select(failure => MissingReference.Trouble(pod, failure.Message)).FirstOrDefault(trouble => trouble is not null)
            ?? (failures.FirstOrDefault() is { } last
                ? new PodTrouble(Reasons.HostNotStarted, $"The node cannot start EnclaveHost of pod {pod.Key}: {Quote.Of(last.Message)}; mend what it names, it is tried again by itself.")
                : null);
    }

    private static KubeletEvent Read(JsonElement item) => new(
        Times
            .Select(name => item.TryGetProperty(name, out var time) && time.ValueKind == JsonValueKind.String && time.TryGetDateTimeOffset(out var at) ? at : default)
            .FirstOrDefault(at => at != default),
        item.Text("reason") ?? "",
        item.Text("message") ?? "");
}
