using Enclaves.Tests.Cluster.Chaos;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>A minute, with some hundred NEDs, of what dev/bench chaos does for ten with a thousand. It loads the cluster, so nothing else runs beside it.</summary>
[Collection(DisturbingCluster.Name)]
public sealed class ChaosTests
{
    [Fact]
    public async Task Hundreds_of_neds_changed_at_random_while_Reconcilers_are_killed_end_as_their_specs_say()
    {
        var output = TestContext.Current.TestOutputHelper!;
        var settings = new ChaosSettings(Random.Shared.Next(), Neds: 400, Duration: TimeSpan.FromSeconds(60));
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
