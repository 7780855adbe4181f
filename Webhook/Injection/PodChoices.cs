using System.Text.Json;
using Enclaves.Api;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Injection;

/// <summary>What of an enclave pod is the pod's own choice where it has made one.</summary>
/// <param name="GracePeriod">Its terminationGracePeriodSeconds; null where it has none.</param>
/// <param name="FileGroup">Whether it has a group for its volumes. Every container is in that group, whichever it is.</param>
/// <param name="Image">Whether the container's image is other than the placeholder's: it was chosen on purpose, or by an earlier injection.</param>
/// <param name="Probes">Names of the probes to leave alone. A service mesh leads an injected pod's probes through its own sidecar.</param>
internal sealed record PodChoices(long? GracePeriod, bool FileGroup, bool Image, IReadOnlyList<string> Probes)
{
    private static readonly string[] ProbeNames = ["startupProbe", "readinessProbe", "livenessProbe"];

    /// <summary>Reads the choices of a pod.</summary>
    public static PodChoices Of(JsonElement pod, JsonElement container) => new(
        pod.At("spec", "terminationGracePeriodSeconds") is { ValueKind: JsonValueKind.Number } seconds && seconds.TryGetInt64(out var value) ? value : null,
        pod.At("spec", "securityContext", "fsGroup") is not null,
        container.At("image").Text() is not (null or "" or NedNames.AutoImage),
        pod.At("metadata", "annotations", NedAnnotations.Injected) is null ? [] : [.. ProbeNames.Where(name => container.At(name, "httpGet") is not null)]);
}
