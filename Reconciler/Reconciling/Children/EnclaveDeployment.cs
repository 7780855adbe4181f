using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Reconciling.Children;

/// <summary>
/// The Deployment that runs the enclave pods. Its template holds one placeholder container; the pod webhook fills in the rest, so that a
/// newer injector changes new pods only and no object that anybody watches for drift.
/// </summary>
internal static class EnclaveDeployment
{
    private static readonly string[] PassedOn = ["minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit", "paused"];

    private static readonly string[] Scheduling =
    [
        "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName", "serviceAccountName",
        "imagePullSecrets", "terminationGracePeriodSeconds",
    ];

    /// <summary>The fields to apply. Replicas are the NED's: whoever scales, scales the NED.</summary>
    public static JsonObject Fields(LiveObject live, NitroEnclaveDeployment ned, NedManifest manifest)
    {
        var body = ChildMetadata.Body(ResourceKind.Deployment, live.Key.Name, live);
        var spec = new JsonObject
        {
            ["replicas"] = ned.Spec.Replicas ?? NedDefaults.Replicas,
            ["selector"] = new JsonObject { ["matchLabels"] = Selector(live.Key.Name) },
            ["template"] = Template(live, ned, manifest),
        };
        foreach (var name in PassedOn)
        {
            if (ChildMetadata.Copy(live.At("spec", name)) is { } value)
                spec[name] = value;
        }

        // Never left to the server: what it once defaulted, or was patched to, would stay when the spec says nothing.
        spec["strategy"] = Strategy(live);
        body["spec"] = spec;
        return body;
    }

    /// <summary>The labels by which Deployment and Service find the pods.</summary>
    public static JsonObject Selector(string ned) => new() { [NedLabels.Deployment] = ned };

    /// <summary>
    /// A merge patch that must go before the apply, or null. The API server has filled some fields in by itself, and an apply cannot take away
    /// what it never owned; an explicit null in one is ignored by old servers.
    /// </summary>
    public static JsonObject? Preparation(JsonObject fields, LiveObject live)
    {
        var spec = new JsonObject();
        // Refused beside Recreate.
        if ((string?)fields["spec"]!["strategy"]?["type"] == "Recreate" && live.At("spec", "strategy", "rollingUpdate") is not null)
            spec["strategy"] = new JsonObject { ["type"] = "Recreate", ["rollingUpdate"] = null };
        // The old name of the field is a copy of the new one, and brings it back.
        if (fields["spec"]!["template"]!["spec"]!["serviceAccountName"] is null && live.TextAt("spec", "template", "spec", "serviceAccount") is { Length: > 0 })
            spec["template"] = new JsonObject { ["spec"] = new JsonObject { ["serviceAccount"] = null, ["serviceAccountName"] = null } };
        return spec.Count == 0 ? null : new JsonObject { ["spec"] = spec };
    }

    private static JsonObject Strategy(LiveObject ned)
    {
        if (ChildMetadata.Copy(ned.At("spec", "strategy")) is not JsonObject { Count: > 0 } strategy)
            return new JsonObject { ["type"] = "RollingUpdate" };
        // Admission once filled rollingUpdate into the NED, and a user who then chooses Recreate cannot know of it.
        if ((string?)strategy["type"] == "Recreate")
            strategy.Remove("rollingUpdate");
        return strategy;
    }

    private static JsonObject Template(LiveObject live, NitroEnclaveDeployment ned, NedManifest manifest)
    {
        var labels = new Dictionary<string, string>(NedNames.ChildLabels(live.Key.Name)) { [NedLabels.Inject] = NedLabels.InjectValue };
        var annotations = new Dictionary<string, string>
        {
            [NedAnnotations.Enclave] = EnclaveSettings.Of(ned.Spec).ToJson(),
            [NedAnnotations.Manifest] = manifest.ConfigMapName,
            [NedAnnotations.ManifestDigest] = manifest.Digest,
        };
        var metadata = ned.Spec.Template?.Metadata;
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["labels"] = ChildMetadata.Object(labels, metadata?.Labels),
                ["annotations"] = ChildMetadata.Object(annotations, metadata?.Annotations),
            },
            ["spec"] = PodSpec(live),
        };
    }

    private static JsonObject PodSpec(LiveObject ned)
    {
        var pod = new JsonObject
        {
            ["automountServiceAccountToken"] = false,
            ["containers"] = new JsonArray(new JsonObject { ["name"] = NedNames.HostContainer, ["image"] = NedNames.AutoImage }),
        };
        foreach (var name in Scheduling)
        {
            if (ChildMetadata.Copy(ned.At("spec", "template", name)) is { } value)
                pod[name] = value;
        }

        return pod;
    }
}
