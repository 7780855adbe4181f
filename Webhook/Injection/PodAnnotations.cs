using System.Text.Json;
using System.Text.RegularExpressions;
using Enclaves.Api;
using Enclaves.Webhook.Review;
using Enclaves.Webhook.Validation;

namespace Enclaves.Webhook.Injection;

/// <summary>Reads the annotations that say all that injection needs. What is missing or contradicts itself is told with what to do.</summary>
internal static partial class PodAnnotations
{
    private const string Where = "docs/injection.md says how to inject pods of your own";

    // Building the rules is costly; they hold no state.
    private static readonly EnclaveSettingsValidator Validator = new();

    /// <summary>Size, ports and Secrets; null where a problem was added.</summary>
    public static EnclaveSettings? Settings(JsonElement pod, List<AdmissionCause> causes)
    {
        var field = Field(NedAnnotations.Enclave);
        if (Text(pod, NedAnnotations.Enclave, causes) is not { } json)
            return null;
        try
        {
            var settings = EnclaveSettings.FromJson(json);
            var findings = Validator.Validate(settings).Errors;
            causes.AddRange(findings.Select(finding => new AdmissionCause($"{field}.{PropertyPaths.ToJson(finding.PropertyName)}", finding.ErrorMessage)));
            return findings.Count == 0 ? settings : null;
        }
        catch (JsonException e)
        {
            causes.Add(new(field, $"cannot be read ({e.Path ?? "$"}: {FirstLine(e.Message)}); where the Reconciler wrote it, bring it and the Webhook to the same version; {Where}"));
            return null;
        }
    }

    /// <summary>Name of the manifest's ConfigMap; empty where a problem was added.</summary>
    public static string Manifest(JsonElement pod, List<AdmissionCause> causes)
    {
        var name = Text(pod, NedAnnotations.Manifest, causes);
        var digest = Text(pod, NedAnnotations.ManifestDigest, causes);
        if (digest is not null && !Digest().IsMatch(digest))
            causes.Add(new(Field(NedAnnotations.ManifestDigest), $"is '{Excerpt(digest)}', allowed is the manifest's SHA-384 in 96 lower-case hexadecimal digits"));
        else if (name is not null && digest is not null && !name.EndsWith("-manifest-" + digest[..NedNames.DigestDigits], StringComparison.Ordinal))
            causes.Add(new(Field(NedAnnotations.Manifest), $"is '{Excerpt(name)}', which contradicts {NedAnnotations.ManifestDigest}; allowed is NAME-manifest-{digest[..NedNames.DigestDigits]}, the ConfigMap of that manifest"));
        return name ?? "";
    }

    private static string? Text(JsonElement pod, string key, List<AdmissionCause> causes)
    {
        if (pod.At("metadata", "annotations", key).Text() is { Length: > 0 } text)
            return text;
        var needed = key switch
        {
            NedAnnotations.Enclave => "the JSON of the enclave's size, ports and Secrets",
            NedAnnotations.Manifest => "the name of the ConfigMap that holds the manifest",
            _ => "the manifest's SHA-384 in 96 lower-case hexadecimal digits",
        };
        causes.Add(new(Field(key), $"is missing; it must be {needed}: create a NitroEnclaveDeployment, whose pods have it, or write it into the pod template ({Where}), or remove the label {NedLabels.Inject}"));
        return null;
    }

    private static string Field(string key) => $"metadata.annotations[{key}]";

    private static string Excerpt(string text) => text.Length <= 100 ? text : text[..100] + "…";

    private static string FirstLine(string text) => text.Split('\n', 2)[0].TrimEnd('\r');

    [GeneratedRegex(@"\A[0-9a-f]{96}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Digest();
}
