using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Enclaves.Api;
using Enclaves.Channel.Manifest;
using Enclaves.Webhook.Review;
using FluentValidation;
using FluentValidation.Results;

namespace Enclaves.Webhook.Validation;

/// <summary>
/// Decides on a NitroEnclaveDeployment: all errors at once, each with its field's path. An error that the old object has as well
/// does not block an update, and nothing blocks a deletion.
/// </summary>
internal static partial class NedValidation
{
    /// <summary>How many times longer than an object its manifest can be: a test holds the shortest plugins against it.</summary>
    public const int MaxGrowth = 16;

    // Building the rules is costly; they hold no state.
    private static readonly NedValidator Validator = new();

    private static readonly ImagePolicy AnyImage = new();

    /// <summary>The decision on a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="images">Which images may run; null for any.</param>
    public static AdmissionDecision Decide(AdmissionRequest request, ImagePolicy? images = null)
    {
        if (request.Object is not { } json || request.SubResource.Length > 0 || request.Operation is not ("CREATE" or "UPDATE"))
            return AdmissionDecision.Allow;
        // Looked for in the raw object: one that cannot be read must be deletable too.
        if (json.At("metadata", "deletionTimestamp") is not null)
            return AdmissionDecision.Allow;
        if (!NedReader.TryRead(json, out var ned, out var unreadable))
            return AdmissionDecision.Deny(unreadable);
        images ??= AnyImage;
        var findings = Findings(ned, json, images);
        var warnings = findings.Where(finding => finding.Severity == Severity.Warning).Select(Cause).Select(cause => cause.ToString()).ToList();
        var known = request.OldObject is { } old && NedReader.TryRead(old, out var before, out _) ? Identities(before, old, images) : [];
        var causes = findings.Where(finding => finding.Severity == Severity.Error && !known.Contains(Identity(ned, finding))).Select(Cause).ToList();
        return (causes.Count == 0 ? AdmissionDecision.Allow : AdmissionDecision.Deny(causes)) with { Warnings = warnings };
    }

    private static List<ValidationFailure> Findings(NitroEnclaveDeployment ned, JsonElement json, ImagePolicy images)
    {
        if (ned.Spec is null)
            return [new ValidationFailure("Spec", "is required")];
        var findings = Validator.Validate(ned).Errors;
        findings.AddRange(images.Findings(ned.Spec));
        // Valid, and still not run: better told here than found out later.
        findings.AddRange(NotYetRunnable.Of(ned.Spec).Select(path => new ValidationFailure(path,
            "this version cannot run it yet: the NitroEnclaveDeployment stays in ERROR until it is removed") { Severity = Severity.Warning }));
        findings.AddRange(Unattested(ned.Spec));
        if (ned.Metadata?.NamespaceProperty is { Length: > 0 } space)
            findings.AddRange(ForeignNamespaces(ned.Spec, space));
        if (findings.TrueForAll(finding => finding.Severity != Severity.Error) && ManifestProblem(ned, json) is { } problem)
            findings.Add(new ValidationFailure("Spec", problem) { ErrorCode = "Manifest" });
        return findings;
    }

    private static IEnumerable<ValidationFailure> Unattested(NitroEnclaveDeploymentSpec spec) =>
        from plugin in NedPlugin.Of(spec)
        from connection in (plugin.Container?.OutboundConnections ?? []).Select((outbound, i) => (Path: $"{plugin.ContainerPath}.outboundConnections[{i}].type", outbound?.Type))
        where connection.Type is OutboundTypes.Enclave or OutboundTypes.Proxy
        select new ValidationFailure(connection.Path, $"'{connection.Type}' needs attestation, which is not there yet: the enclave runs, and refuses each of these connections")
        {
            Severity = Severity.Warning,
        };

    private static IEnumerable<ValidationFailure> ForeignNamespaces(NitroEnclaveDeploymentSpec spec, string space) =>
        (spec.PrivilegedPlugins ?? []).Select((plugin, i) => (Path: $"spec.privilegedPlugins[{i}].namespace", plugin?.Namespace))
            .Where(plugin => plugin.Namespace is { } named && named != space)
            .Select(plugin => new ValidationFailure(plugin.Path,
                $"'{plugin.Namespace}' is another namespace than this object's: Secrets and ConfigMaps are taken from {space} all the same") { Severity = Severity.Warning });

    private static string? ManifestProblem(NitroEnclaveDeployment ned, JsonElement json)
    {
        try
        {
            // The name may still be generated, and the namespace be known from the request only: they count for a few bytes.
            if (string.IsNullOrEmpty(ned.Metadata.Name))
                ned.Metadata.Name = "generated";
            if (string.IsNullOrEmpty(ned.Metadata.NamespaceProperty))
                ned.Metadata.NamespaceProperty = "default";
            // As the enclave will: whatever it would refuse is better refused here. What ConfigMaps hold is not known, nor asked for.
            var manifest = ManifestMapping.ToManifest(ned, UnknownConfigValues.Instance);
            ManifestCodec.Check(manifest);
            // Writing it costs as much as half of the rules, and most objects are far from being too large.
            if (JsonMarshal.GetRawUtf8Value(json).Length > ManifestLimits.MaxBytes / MaxGrowth)
                ManifestCodec.Write(manifest);
            return null;
        }
        catch (ManifestException e)
        {
            return e.Message;
        }
        catch (NedSpecException e)
        {
            return e.Message;
        }
    }

    private static HashSet<string> Identities(NitroEnclaveDeployment ned, JsonElement json, ImagePolicy images) =>
        [.. Findings(ned, json, images).Where(finding => finding.Severity == Severity.Error).Select(finding => Identity(ned, finding))];

    // Messages hold the wrong value. A plugin counts by its name, so that another one before it does not make its errors new.
    private static string Identity(NitroEnclaveDeployment ned, ValidationFailure finding) => PluginIndex().Replace(
        $"{finding.PropertyName}: {finding.ErrorMessage}",
        match =>
        {
            var index = int.Parse(match.Groups["index"].ValueSpan, null);
            var name = match.Groups["list"].ValueSpan[0] == 's' ? ned.Spec.UserPlugins?.ElementAtOrDefault(index)?.Name : ned.Spec.PrivilegedPlugins?.ElementAtOrDefault(index)?.Name;
            return name is null ? match.Value : $"{match.Groups["list"].Value}[{name}]";
        });

    private static AdmissionCause Cause(ValidationFailure finding) => new(PropertyPaths.ToJson(finding.PropertyName), finding.ErrorMessage) { Reason = finding.ErrorCode ?? NedNames.Kind };

    [GeneratedRegex(@"(?<list>serPlugins|rivilegedPlugins)\[(?<index>[0-9]{1,9})\]", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex PluginIndex();
}
