using System.Text.Json;
using Enclaves.Api;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Injection;

/// <summary>What an enclave pod may not ask for, whatever the template says.</summary>
internal static class PodRules
{
    private const string TokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";

    private static readonly (string Field, string Why)[] HostNamespaces =
    [
        ("hostNetwork", "enclaves of one node would share their ports"),
        ("hostPID", "EnclaveHost would see, and could signal, the processes of its node"),
        ("hostIPC", "EnclaveHost would share memory with the processes of its node"),
    ];

    /// <summary>Checks all of it.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="container">Its container enclave-host.</param>
    /// <param name="path">Path of the container.</param>
    public static IEnumerable<AdmissionCause> Check(JsonElement pod, JsonElement container, string path)
    {
        if (IsTrue(pod.At("spec", "automountServiceAccountToken")) || MountsToken(pod, container))
            yield return new("spec.automountServiceAccountToken", "must be false in the pod template: enclave pods hold no Kubernetes credentials");
        foreach (var (field, why) in HostNamespaces.Where(item => IsTrue(pod.At("spec", item.Field))))
            yield return new($"spec.{field}", $"must be absent or false: {why}");
        if (container.At("securityContext", "capabilities", "add") is { ValueKind: JsonValueKind.Array } added && added.GetArrayLength() > 0)
            yield return new($"{path}.securityContext.capabilities.add", $"must be absent: {NedNames.HostContainer} drops all capabilities");
    }

    // A sidecar may have a token of its own; this container may not have any.
    private static bool MountsToken(JsonElement pod, JsonElement container)
    {
        var tokens = pod.At("spec", "volumes").Items()
            .Where(volume => volume.At("projected", "sources").Items().Any(source => source.At("serviceAccountToken") is not null))
            .Select(volume => volume.At("name").Text()).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return container.At("volumeMounts").Items().Any(mount =>
            mount.At("mountPath").Text() is { } path && path.TrimEnd('/') == TokenPath || mount.At("name").Text() is { } name && tokens.Contains(name));
    }

    private static bool IsTrue(JsonElement? value) => value is { ValueKind: JsonValueKind.True };
}
