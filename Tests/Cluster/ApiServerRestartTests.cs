using System.Diagnostics;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Tests that disturb the whole cluster, one after another and beside nothing else.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DisturbingCluster
{
    public const string Name = "disturbs the cluster";
}

[Collection(DisturbingCluster.Name)]
public sealed class ApiServerRestartTests(ClusterFixture cluster)
{
    [Fact]
    public async Task After_a_restart_of_the_api_server_the_Reconciler_goes_on_by_itself()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await Restart("kube-apiserver");
        await Wait.Until("the API server takes a change", async () =>
        {
            await space.Patch("hello", """{"spec":{"replicas":2}}""");
            return true;
        });
        await Wait.Until("two replicas", async () => (await space.Deployment())!.Spec.Replicas == 2, explain: () => reconciler.Log);
        (await space.Reconciled(explain: () => reconciler.Log)).ConditionText("Scheduled").ShouldBe("True DeploymentAccepted");
        (await space.Manifests()).Count.ShouldBe(1);
    }

    private static async Task Restart(string daemon)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(DevelopmentCluster.Repository, "dev/cluster"), ["restart", daemon])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(3), TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, $"{await output}\n{errors}");
    }
}
