using System.Text.Json.Nodes;
using Enclaves.Tests.EndToEnd;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Every sample as a user applies it, through the real admission. No Reconciler runs: nothing else changes what is applied.</summary>
public sealed class SampleTests(ClusterFixture cluster)
{
    private static readonly string Folder = Path.Combine(DevelopmentCluster.Repository, "samples");

    public static TheoryData<string, bool> Samples => new(
        Directory.EnumerateFiles(Folder, "*.yaml").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)
            .SelectMany(file => new[] { (file, false), (file, true) }));

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task After_apply_there_is_no_difference_and_a_second_apply_changes_nothing(string file, bool isServerSide)
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        string[] where = ["-n", space.Name, "-f", Path.Combine(Folder, file), .. isServerSide ? ["--server-side"] : Array.Empty<string>()];
        Succeeded(await Kubectl.Try(null, ["apply", .. where])).Error.ShouldContain("has no digest");
        Succeeded(await Kubectl.Try(null, ["diff", .. where])).Output.ShouldBeEmpty();
        var before = await Versions(space, file);
        Succeeded(await Kubectl.Try(null, ["apply", .. where]));
        (await Versions(space, file)).ShouldBe(before);
    }

    [Theory]
    [InlineData("hello.yaml")]
    [InlineData("two-plugins.yaml")]
    [InlineData("settings.yaml")]
    [InlineData("egress.yaml")]
    [InlineData("probes.yaml")]
    [InlineData("secrets-and-volumes.yaml")]
    [InlineData("autoscaling.yaml")]
    public async Task A_sample_that_can_be_run_is_warned_of_nothing_but_tags(string file)
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var warnings = Succeeded(await Kubectl.Try(null, "apply", "-n", space.Name, "-f", Path.Combine(Folder, file))).Error;
        warnings.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldAllBe(line => line.Contains("has no digest", StringComparison.Ordinal));
        (await File.ReadAllTextAsync(Path.Combine(Folder, "README.md"), TestContext.Current.CancellationToken)).ShouldMatch($@"\[{file}\].*\| yes \|");
    }

    private static ToolResult Succeeded(ToolResult result)
    {
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result;
    }

    // An autoscaler has a status that its controller writes.
    private static async Task<IReadOnlyList<string>> Versions(TestNamespace space, string file)
    {
        var found = await Kubectl.Get("-n", space.Name, "-f", Path.Combine(Folder, file));
        return
        [
            .. (found["items"]?.AsArray() ?? [found.DeepClone()]).Where(item => (string?)item!["kind"] != "HorizontalPodAutoscaler")
                .Select(item => $"{item!["kind"]} {item["metadata"]!["name"]} {item["metadata"]!["resourceVersion"]}"),
        ];
    }
}
