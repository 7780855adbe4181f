using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Enclaves.Api;
using Enclaves.Webhook.Patching;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Injection;

/// <summary>
/// Fills the placeholder container of an enclave pod: a pure function of the pod and the options. Injecting an injected pod
/// yields no patch. A pod that does not say all that is needed is refused, with the sentence that says what to do.
/// </summary>
internal sealed partial class PodInjection(InjectionOptions options, string version)
{
    private const string Annotations = "metadata.annotations";

    /// <summary>The decision on a request.</summary>
    public AdmissionDecision Decide(AdmissionRequest request)
    {
        if (request.Object is not { } pod || request.SubResource.Length > 0 || request.Operation != "CREATE" || !IsWanted(pod))
            return AdmissionDecision.Allow;
        var causes = new List<AdmissionCause>();
        var settings = Settings(pod, causes);
        var manifest = Manifest(pod, causes);
        CheckPod(pod, causes);
        if (causes.Count > 0)
            return AdmissionDecision.Deny(causes);
        using var patch = new PatchBuilder();
        var template = new EnclavePodTemplate(options, settings!, manifest, GracePeriod(pod), version);
        Overlay.Impose(patch, pod, template.Pod(KeepsImage(pod)));
        return AdmissionDecision.Change(patch.ToJson());
    }

    private static bool IsWanted(JsonElement pod) => pod.At("metadata", "labels", NedLabels.Inject).Is(NedLabels.InjectValue);

    private static EnclaveSettings? Settings(JsonElement pod, List<AdmissionCause> causes)
    {
        var field = $"{Annotations}[{NedAnnotations.Enclave}]";
        if (Annotation(pod, NedAnnotations.Enclave) is not { } json)
        {
            causes.Add(new(field, $"is missing; only pods of a NitroEnclaveDeployment can be injected: create one, or remove the label {NedLabels.Inject}"));
            return null;
        }

        try
        {
            var settings = EnclaveSettings.FromJson(json);
            var problem = Problem(settings);
            if (problem is not null)
                causes.Add(new(field, problem));
            return settings;
        }
        catch (JsonException e)
        {
            causes.Add(new(field, $"cannot be read ({e.Path ?? "$"}: {FirstLine(e.Message)}); it is written by the Reconciler: bring Reconciler and Webhook to the same version"));
            return null;
        }
    }

    private static string? Problem(EnclaveSettings settings)
    {
        if (settings.CpuCount < 2 || settings.CpuCount % 2 != 0)
            return $"cpuCount {settings.CpuCount} is not an even number from 2 on; mend spec.enclave.cpuCount of the NitroEnclaveDeployment";
        if (settings.HugepageSize is not (HugepageSizes.TwoMi or HugepageSizes.OneGi))
            return $"hugepageSize '{settings.HugepageSize}' is neither 2Mi nor 1Gi; mend spec.enclave.hugepageSize of the NitroEnclaveDeployment";
        if (settings.MemoryMiB < 64 || settings.MemoryMiB > 1L << 30 || settings.MemoryMiB % (HugepageSizes.Bytes(settings.HugepageSize) >> 20) != 0)
            return $"memoryMiB {settings.MemoryMiB} is below 64 or no multiple of the page size {settings.HugepageSize}; mend spec.enclave.memory of the NitroEnclaveDeployment";
        if (settings.Ports.Any(port => port is < 1024 or > 65535))
            return "ports holds one outside of 1024 to 65535; bring Reconciler and Webhook to the same version";
        if (settings.PullSecrets.Any(string.IsNullOrEmpty))
            return "pullSecrets holds an empty name; bring Reconciler and Webhook to the same version";
        return settings.Image is null ? null : $"image '{settings.Image}' cannot be chosen in this version; remove spec.enclave.image of the NitroEnclaveDeployment";
    }

    private static string Manifest(JsonElement pod, List<AdmissionCause> causes)
    {
        var name = Annotation(pod, NedAnnotations.Manifest);
        var digest = Annotation(pod, NedAnnotations.ManifestDigest);
        if (string.IsNullOrEmpty(name))
            causes.Add(new($"{Annotations}[{NedAnnotations.Manifest}]", "is missing; it must name the ConfigMap that holds the manifest"));
        if (digest is null || !Digest().IsMatch(digest))
            causes.Add(new($"{Annotations}[{NedAnnotations.ManifestDigest}]", "is missing or not SHA-384 in 96 hexadecimal digits; it must be the digest of the manifest"));
        else if (name is { Length: > 0 } && !name.EndsWith("-manifest-" + digest[..NedNames.DigestDigits], StringComparison.Ordinal))
            causes.Add(new($"{Annotations}[{NedAnnotations.Manifest}]", $"'{name}' is not the ConfigMap of digest {digest[..NedNames.DigestDigits]}…; the annotations of the pod template contradict each other, let the Reconciler write both"));
        return name ?? "";
    }

    private static void CheckPod(JsonElement pod, List<AdmissionCause> causes)
    {
        if (HostContainer(pod) is not { } container)
        {
            causes.Add(new("spec.containers", $"none is called {NedNames.HostContainer}; add {{name: {NedNames.HostContainer}, image: {NedNames.AutoImage}}}"));
            return;
        }

        if (pod.At("spec", "automountServiceAccountToken") is { ValueKind: JsonValueKind.True } || MountsToken(container))
            causes.Add(new("spec.automountServiceAccountToken", "must be false in the pod template: enclave pods hold no Kubernetes credentials"));
        if (pod.At("spec", "hostNetwork") is { ValueKind: JsonValueKind.True })
            causes.Add(new("spec.hostNetwork", "must be absent or false: enclaves of one node would share their ports"));
    }

    private static bool MountsToken(JsonElement container) =>
        container.At("volumeMounts").Items().Any(mount => mount.At("mountPath").Is("/var/run/secrets/kubernetes.io/serviceaccount"));

    // An image other than the placeholder's was chosen on purpose, or by an earlier injection.
    private static bool KeepsImage(JsonElement pod) => HostContainer(pod)?.At("image").Text() is not (null or "" or NedNames.AutoImage);

    private static long? GracePeriod(JsonElement pod) =>
        pod.At("spec", "terminationGracePeriodSeconds") is { ValueKind: JsonValueKind.Number } seconds && seconds.TryGetInt64(out var value) ? value : null;

    private static JsonElement? HostContainer(JsonElement pod)
    {
        foreach (var container in pod.At("spec", "containers").Items())
        {
            if (container.At("name").Is(NedNames.HostContainer))
                return container;
        }

        return null;
    }

    private static string? Annotation(JsonElement pod, string key) => pod.At("metadata", "annotations", key).Text();

    private static string FirstLine(string text) => text.Split('\n', 2)[0].TrimEnd('\r');

    [GeneratedRegex(@"\A[0-9a-f]{96}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Digest();
}
