using System.Text.Json.Nodes;

namespace Enclaves.Tests.EndToEnd;

/// <summary>Runs kubectl as a user would, against the cluster of dev/cluster.</summary>
internal static class Kubectl
{
    /// <summary>Path of the administrator's kubeconfig.</summary>
    public static string Kubeconfig =>
        Environment.GetEnvironmentVariable("ENCLAVES_KUBECONFIG") ?? "/var/lib/enclaves-dev/kubeconfig";

    /// <summary>Standard output of a call that must succeed.</summary>
    public static async Task<string> Run(params string[] arguments)
    {
        var result = await Try(null, arguments);
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException($"kubectl {string.Join(' ', arguments)}: exit {result.ExitCode}: {result.Error}");
    }

    /// <summary>The object, which must exist; a list where no name is given.</summary>
    public static async Task<JsonNode> Get(params string[] arguments) =>
        JsonNode.Parse(await Run(["get", .. arguments, "-o", "json"]))!;

    public static async Task<string> Apply(string yaml, string @namespace)
    {
        var result = await Try(yaml, "apply", "-n", @namespace, "-f", "-");
        return result.ExitCode == 0
            ? result.Output + result.Error
            : throw new InvalidOperationException($"kubectl apply: exit {result.ExitCode}: {result.Error}");
    }

    public static Task<ToolResult> Try(string? input, params string[] arguments) => Tool.Run("kubectl", input, ["--kubeconfig", Kubeconfig, .. arguments]);
}
