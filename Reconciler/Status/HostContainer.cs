using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Status;

/// <summary>What a kubelet reports of the container EnclaveHost of a pod, and what that means.</summary>
internal sealed partial record HostContainer
{
    private readonly LiveObject _pod;
    private readonly JsonElement _status;

    private HostContainer(LiveObject pod, JsonElement status) => (_pod, _status) = (pod, status);

    /// <summary>Whether its process runs.</summary>
    public bool IsRunning => State("state", "running") is not null;

    /// <summary>Whether the node is still preparing it: volumes, network, image.</summary>
    public bool IsBeingCreated => Waiting?.Text("reason") is "ContainerCreating" or "PodInitializing";

    /// <summary>How often it has been started again.</summary>
    public int RestartCount => _status.TryGetProperty("restartCount", out var count) && count.TryGetInt32(out var number) ? number : 0;

    private JsonElement? Waiting => State("state", "waiting");

    /// <summary>The container, or null while no kubelet has reported one.</summary>
    public static HostContainer? Of(LiveObject pod)
    {
        if (pod.At("status", "containerStatuses") is not { ValueKind: JsonValueKind.Array } statuses)
            return null;
        foreach (var status in statuses.EnumerateArray())
        {
            if (status.Text("name") == NedNames.HostContainer)
                return new HostContainer(pod, status);
        }

        return null;
    }

    /// <summary>Why the node does not start it, or null.</summary>
    public PodTrouble? Waits()
    {
        var word = Waiting?.Text("reason");
        var said = Quote.Of(Waiting?.Text("message") ?? word);
        return word switch
        {
            "ErrImagePull" or "ImagePullBackOff" or "InvalidImageName" or "ErrImageNeverPull" or "RegistryUnavailable" => new(Reasons.HostImagePull,
                $"Pod {_pod.Key} cannot pull EnclaveHost's image {Quote.Of(_status.Text("image"))}: {said}; "
                + "look at the chart's images.enclaveHost and at spec.template.imagePullSecrets."),
            "CreateContainerConfigError" or "CreateContainerError" or "RunContainerError" => new(Reasons.HostNotStarted,
                $"The node cannot start EnclaveHost of pod {_pod.Key}: {said}; mend what it names, it is tried again by itself."),
            _ => null,
        };
    }

    /// <summary>What it has ended of, when it has ended before, or null.</summary>
    public PodTrouble? Restarts()
    {
        var restarts = RestartCount;
        if (restarts < 1 || (State("state", "terminated") ?? State("lastState", "terminated")) is not { } end)
            return null;
        var code = end.TryGetProperty("exitCode", out var exit) && exit.TryGetInt32(out var value) ? value : -1;
        // EnclaveHost's termination message: the reason for which it gave up, a colon, a sentence.
        var (reason, said) = Reason().Match(end.Text("message") ?? "") is { Success: true } match
            ? (match.Groups["reason"].Value, Quote.Of(match.Groups["said"].Value))
            : ("", Quote.Of(end.Text("message")));
        var times = restarts == 1 ? "once" : string.Create(CultureInfo.InvariantCulture, $"{restarts} times");
        var logs = $"kubectl -n {_pod.Key.Namespace} logs {_pod.Key.Name} --previous";
        return reason switch
        {
            "BootFailed" => EnclaveDeaths.BootFailed(_pod.Key, $"EnclaveHost has given up {times}: {said}"),
            "TooManyBoots" => EnclaveDeaths.CrashLooping(_pod.Key, $"EnclaveHost has given up {times}: {said}"),
            _ => new(Reasons.EnclaveHostCrashLooping, string.Create(CultureInfo.InvariantCulture,
                $"EnclaveHost of pod {_pod.Key} has ended {times}, the last time with exit code {code} ({Quote.Of(end.Text("reason") ?? "no reason")}){(reason.Length > 0 ? $" {reason}:" : "")}{(said.Length > 0 ? " " : "")}{said}; read {logs}.")),
        };
    }

    private JsonElement? State(string which, string state) =>
        _status.TryGetProperty(which, out var states) && states.ValueKind == JsonValueKind.Object
        && states.TryGetProperty(state, out var detail) && detail.ValueKind == JsonValueKind.Object ? detail : null;

    [GeneratedRegex(@"\A(?<reason>[A-Z][A-Za-z]{2,40}): (?<said>.*)\z", RegexOptions.Singleline)]
    private static partial Regex Reason();
}
