using Enclaves.Tests.Cluster.Chaos;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Two minutes of what dev/bench chaos does for ten. It loads the cluster, so nothing else runs beside it.</summary>
[Collection(DisturbingCluster.Name)]
public sealed class ChaosTests
{
    [Fact]
    public async Task A_thousand_neds_changed_at_random_while_Reconcilers_are_killed_end_as_their_specs_say()
    {
        var output = TestContext.Current.TestOutputHelper!;
        var settings = new ChaosSettings(Random.Shared.Next(), Neds: 1000, Duration: TimeSpan.FromSeconds(90));
        var result = await ChaosRun.Run(settings, output.WriteLine, TestContext.Current.CancellationToken);
        output.WriteLine($"{result}");
        var because = $"with the seed {settings.Seed}";
        result.Wrong.Take(20).ShouldBeEmpty(because);
        result.Neds.ShouldBe(result.NedsWanted, because);
        result.LeftOver.ShouldBe(0, because);
        result.CreatedTwice.ShouldBeEmpty(because);
        result.Created.ShouldBeGreaterThanOrEqualTo(settings.Neds, because);
    }
}
