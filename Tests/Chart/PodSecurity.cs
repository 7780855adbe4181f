using System.Text.Json.Nodes;

namespace Enclaves.Tests.Chart;

/// <summary>The Pod Security Standard "restricted", as Kubernetes documents it: what a pod must say, and what it must not.</summary>
internal static class PodSecurity
{
    private static readonly string[] Volumes =
        ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

    /// <summary>Everything in which a pod template goes beyond the standard; empty when nothing does.</summary>
    public static IReadOnlyList<string> Violations(JsonNode pod)
    {
        var spec = pod["spec"]!;
        var found = new List<string>();
        foreach (var shared in new[] { "hostNetwork", "hostPID", "hostIPC" })
        {
            if (IsTrue(spec[shared]))
                found.Add(shared);
        }

        foreach (var volume in List(spec["volumes"]))
        {
            found.AddRange(volume.AsObject().Select(field => field.Key).Where(field => field != "name" && !Volumes.Contains(field))
                .Select(kind => $"volume {kind}"));
        }

        var shell = spec["securityContext"];
        if (List(shell?["sysctls"]).Any())
            found.Add("sysctls");
        foreach (var list in new[] { "containers", "initContainers", "ephemeralContainers" })
        {
            foreach (var container in List(spec[list]))
                found.AddRange(OfContainer(container, shell).Select(what => $"{(string)container["name"]!}: {what}"));
        }

        return found;
    }

    private static IEnumerable<string> OfContainer(JsonNode container, JsonNode? pod)
    {
        var own = container["securityContext"];
        if (IsTrue(own?["privileged"]))
            yield return "privileged";
        if (own?["allowPrivilegeEscalation"] is not { } escalation || IsTrue(escalation))
            yield return "allowPrivilegeEscalation";
        if (!IsTrue(own?["runAsNonRoot"] ?? pod?["runAsNonRoot"]))
            yield return "runAsNonRoot";
        if ((own?["runAsUser"] ?? pod?["runAsUser"]) is { } user && (long)user == 0)
            yield return "runAsUser";
        if ((string?)(own?["seccompProfile"] ?? pod?["seccompProfile"])?["type"] is not ("RuntimeDefault" or "Localhost"))
            yield return "seccompProfile";
        if (!List(own?["capabilities"]?["drop"]).Any(name => (string?)name == "ALL"))
            yield return "capabilities.drop";
        if (List(own?["capabilities"]?["add"]).Any(name => (string?)name != "NET_BIND_SERVICE"))
            yield return "capabilities.add";
        if (own?["procMount"] is { } mount && (string?)mount != "Default")
            yield return "procMount";
        if (List(container["ports"]).Any(port => port["hostPort"] is { } number && (long)number != 0))
            yield return "hostPort";
    }

    private static bool IsTrue(JsonNode? value) => value is not null && (bool)value;

    private static IEnumerable<JsonNode> List(JsonNode? value) => value is JsonArray items ? items.OfType<JsonNode>() : [];
}
