using Enclaves.Tests.EndToEnd;
using Shouldly;

namespace Enclaves.Tests.Cluster;

/// <summary>The difference between files and the cluster, in both ways in which something that follows Git may see it.</summary>
internal static class Drift
{
    /// <summary>How kubectl applies and compares by itself: with what was applied last.</summary>
    public static readonly string[] ClientSide = ["--server-side=false"];

    /// <summary>
    /// As Argo CD does with ServerSideApply and ServerSideDiff. It takes over by force what others own; here, that there is any is a failure.
    /// </summary>
    public static readonly string[] ServerSide = ["--server-side", "--field-manager=argocd-controller"];

    /// <summary>Asserts that there is none, neither way.</summary>
    /// <param name="where">Namespace and files, as arguments of kubectl.</param>
    public static async Task IsNone(string[] where)
    {
        foreach (var how in new[] { ClientSide, ServerSide })
        {
            ToolResult? last = null;
            // kubectl reads an object and then tries out the apply: what a controller writes in between looks like a difference, once.
            await Wait.Until(
                $"no difference with {string.Join(' ', how)}",
                async () => (last = await Kubectl.Try(null, ["diff", .. where, .. how])).ExitCode == 0,
                limit: TimeSpan.FromSeconds(20),
                explain: () => $"{last?.Output}\n{last?.Error}");
            last!.Output.ShouldBeEmpty();
        }
    }
}
