using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Webhook.Patching;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Mutation;

/// <summary>
/// Fills what a NitroEnclaveDeployment leaves out and the schema's constant defaults cannot give: fields whose default depends
/// on other fields, and labels. Never touches what is there, nor any list: GitOps tools would see a difference for ever.
/// Works on raw JSON, since it is called before the schema is checked: what has the wrong type is left for the schema to refuse.
/// </summary>
internal static class NedMutation
{
    /// <summary>The decision on a request; never a denial.</summary>
    public static AdmissionDecision Decide(AdmissionRequest request)
    {
        if (request.Object is not { } ned || request.SubResource.Length > 0 || request.Operation is not ("CREATE" or "UPDATE"))
            return AdmissionDecision.Allow;
        // Whoever removes the last finalizer must get through, whatever the rest of the object looks like.
        if (ned.At("metadata", "deletionTimestamp") is not null)
            return AdmissionDecision.Allow;
        using var patch = new PatchBuilder();
        Overlay.Fill(patch, ned, Wanted(ned));
        return AdmissionDecision.Change(patch.ToJson());
    }

    private static JsonObject Wanted(JsonElement ned)
    {
        var wanted = new JsonObject { ["strategy"] = Strategy(ned) };
        if (HugepageSize(ned) is { } pages)
            wanted["enclave"] = new JsonObject { ["hugepageSize"] = pages };
        if (ExposesPorts(ned))
            wanted["service"] = new JsonObject { ["type"] = ServiceTypes.ClusterIP };
        var root = new JsonObject();
        // A name that is still to be generated is not known here; the Reconciler's labels do not depend on these.
        if (ned.At("metadata", "name").Text() is { Length: > 0 and <= 63 } name)
        {
            var labels = new JsonObject();
            foreach (var (key, value) in NedNames.ChildLabels(name))
                labels[key] = value;
            wanted["template"] = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = labels } };
            root["metadata"] = new JsonObject { ["labels"] = new JsonObject { [NedLabels.Deployment] = name } };
        }

        root["spec"] = wanted;
        return root;
    }

    private static JsonObject Strategy(JsonElement ned)
    {
        if (ned.At("spec", "strategy", "type").Text() is { } type && type != "RollingUpdate")
            return [];
        return new JsonObject
        {
            ["type"] = "RollingUpdate",
            ["rollingUpdate"] = new JsonObject
            {
                ["maxSurge"] = NedDefaults.RollingUpdateShare,
                ["maxUnavailable"] = NedDefaults.RollingUpdateShare,
            },
        };
    }

    private static string? HugepageSize(JsonElement ned)
    {
        var memory = ned.At("spec", "enclave", "memory");
        var text = memory is null ? NedDefaults.Memory : memory.Text() ?? memory.Value.GetRawText();
        return MemoryQuantity.TryParse(text, out var bytes, out _) ? NedDefaults.HugepageSize(bytes) : null;
    }

    private static bool ExposesPorts(JsonElement ned) =>
        AnyExposes(ned.At("spec", "userPlugins"), "ports") || AnyExposes(ned.At("spec", "privilegedPlugins"), "spec", "ports");

    private static bool AnyExposes(JsonElement? plugins, params ReadOnlySpan<string> ports)
    {
        foreach (var plugin in plugins.Items())
        {
            foreach (var port in plugin.At(ports).Items())
            {
                if (port.At("hostPort") is not null)
                    return true;
            }
        }

        return false;
    }
}
