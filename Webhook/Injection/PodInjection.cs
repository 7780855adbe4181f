using System.Globalization;
using System.Text.Json;
using Enclaves.Api;
using Enclaves.Webhook.Patching;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Injection;

/// <summary>
/// Fills the placeholder container of an enclave pod: a pure function of the pod and the options, for the pods of whatever makes them.
/// Injecting an injected pod yields no patch. A pod that does not say all that is needed, or contradicts it, is refused with the sentences
/// that say what to do.
/// </summary>
internal sealed class PodInjection(InjectionOptions options, string version)
{
    /// <summary>The decision on a request.</summary>
    public AdmissionDecision Decide(AdmissionRequest request)
    {
        if (request.Object is not { } pod || request.SubResource.Length > 0 || request.Operation != "CREATE" || !IsWanted(pod))
            return AdmissionDecision.Allow;
        var causes = new List<AdmissionCause>();
        var settings = PodAnnotations.Settings(pod, causes);
        var manifest = PodAnnotations.Manifest(pod, causes);
        causes = [.. causes.Select(cause => cause with { Reason = "Annotations" })];
        if (HostContainer(pod) is not var (container, path))
        {
            causes.Add(new("spec.containers", $"none is called {NedNames.HostContainer}; add {{name: {NedNames.HostContainer}, image: {NedNames.AutoImage}}}, which injection fills") { Reason = "Pod" });
            return AdmissionDecision.Deny(causes);
        }

        causes.AddRange(PodRules.Check(pod, container, path).Select(cause => cause with { Reason = "Pod" }));
        if (settings is null)
            return AdmissionDecision.Deny(causes);
        var template = new EnclavePodTemplate(options, settings, manifest, PodChoices.Of(pod, container), version).Pod();
        causes.AddRange(new TemplateConflicts(pod, container, path, template).Find().Select(cause => cause with { Reason = "Contradiction" }));
        if (causes.Count > 0)
            return AdmissionDecision.Deny(causes);
        using var patch = new PatchBuilder();
        Overlay.Impose(patch, pod, template);
        NodeAffinity.Require(patch, pod, options.NodeLabelKey, options.NodeLabelValue);
        return AdmissionDecision.Change(patch.ToJson());
    }

    private static bool IsWanted(JsonElement pod) => pod.At("metadata", "labels", NedLabels.Inject).Is(NedLabels.InjectValue);

    private static (JsonElement Container, string Path)? HostContainer(JsonElement pod)
    {
        var index = 0;
        foreach (var container in pod.At("spec", "containers").Items())
        {
            if (container.At("name").Is(NedNames.HostContainer))
                return (container, string.Create(CultureInfo.InvariantCulture, $"spec.containers[{index}]"));
            index++;
        }

        return null;
    }
}
