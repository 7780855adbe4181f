using System.Text.Json;
using System.Text.RegularExpressions;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Health;

/// <summary>
/// Tells of a Secret or ConfigMap that a pod mounts and that is not there. Only the kubelet says so, in an event: Secrets are never read.
/// </summary>
internal static partial class MissingReference
{
    // Key of a Secret of type kubernetes.io/dockerconfigjson.
    private const string PullKey = ".dockerconfigjson";

    /// <summary>What is missing, by what the kubelet says of a mount that failed; null when it is something else.</summary>
    public static PodTrouble? Trouble(LiveObject pod, string message)
    {
        if (Absent().Match(message) is { Success: true } absent)
        {
            var name = Quote.Of(absent.Groups["name"].Value, 253);
            return absent.Groups["kind"].Value == "secret"
                ? new PodTrouble(Reasons.SecretMissing,
                    $"Pod {pod.Key} waits for the Secret {name}, which is not in the namespace: create it, or correct the field of the NED that names it; the node looks again by itself.")
                : new PodTrouble(Reasons.ConfigMapMissing,
                    $"Pod {pod.Key} waits for the ConfigMap {name}, which is not in the namespace: create it, or correct the field of the NED that names it; the node looks again by itself.");
        }

        if (AbsentKey().Match(message) is not { Success: true } key)
            return null;
        var (path, volume) = (Quote.Of(key.Groups["key"].Value, 253), Quote.Of(Volume().Match(message).Groups["name"].Value, 63));
        return key.Groups["kind"].Value == "secret"
            ? new PodTrouble(Reasons.SecretKeyMissing,
                $"Pod {pod.Key} waits for the key {path}, which {Owner(pod, path) ?? $"a Secret of its volume {volume}"} does not have: add it to the Secret, or correct the field of the NED that names it; the node looks again by itself.")
            : new PodTrouble(Reasons.ConfigMapKeyMissing,
                $"Pod {pod.Key} waits for the key {path}, which a ConfigMap of its volume {volume} does not have: add it to the ConfigMap, or correct the field of the NED that names it; the node looks again by itself.");
    }

    // The kubelet does not say whose key it is; what the pod was made from does.
    private static string? Owner(LiveObject pod, string key)
    {
        try
        {
            var settings = EnclaveSettings.FromJson(pod.TextAt("metadata", "annotations", NedAnnotations.Enclave) ?? "null");
            var names = (key == PullKey ? settings.PullSecrets : [])
                .Concat((settings.Secrets ?? []).Where(need => !need.Optional && (need.Keys ?? []).Contains(key, StringComparer.Ordinal)).Select(need => need.Name))
                .Distinct(StringComparer.Ordinal).ToList();
            return names.Count == 0 ? null : "the Secret " + string.Join(" or ", names.Take(5).Select(name => Quote.Of(name, 253)));
        }
        catch (JsonException)
        {
            // Somebody else's pod under our label.
            return null;
        }
    }

    [GeneratedRegex("""\b(?<kind>secret|configmap) "(?<name>[^"]+)" not found""")]
    private static partial Regex Absent();

    // "config" is the kubelet's word for a ConfigMap here.
    [GeneratedRegex("""references non-existent (?<kind>secret|config) key: (?<key>[^\s,\]]+)""")]
    private static partial Regex AbsentKey();

    [GeneratedRegex("""for volume "(?<name>[^"]+)" """)]
    private static partial Regex Volume();
}
