using k8s;
using Xunit;

namespace Enclaves.Tests.Cluster.Oracle;

/// <summary>Waits until a namespace is what its NEDs say.</summary>
internal static class Converge
{
    // The controllers of the cluster answer what the Reconciler does within less.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    /// <summary>Waits until nothing of the namespace is wrong and nothing in it changes, or until something else has come.</summary>
    public static async Task Until(Kubernetes client, string space, Func<string> explain, Task? orElse = null)
    {
        var versions = "";
        IReadOnlyList<string> wrong = [];
        await Wait.Until("the namespace is as its NEDs say, and stays so", async () =>
        {
            if (orElse?.IsCompleted == true)
                return true;
            var survey = await Survey.Take(client, space, TestContext.Current.CancellationToken);
            wrong = survey.Wrong();
            var same = survey.Versions == versions;
            versions = survey.Versions;
            if (wrong.Count > 0)
                return false;
            if (!same)
                await Task.Delay(Quiet, TestContext.Current.CancellationToken);
            return same;
        }, explain: () => $"{string.Join('\n', wrong)}\n{explain()}");
    }
}
