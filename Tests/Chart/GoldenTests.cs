using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class GoldenTests
{
    public static TheoryData<string> ValueSets => new(Helm.ValueSets);

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Helm_lint_has_nothing_to_say(string values)
    {
        var result = await Helm.Lint(values);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        (result.Output + result.Error).ShouldNotContain("WARN", Case.Insensitive);
    }

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task The_chart_renders_as_its_golden_file_says(string values)
    {
        var rendered = await Helm.Template(values);
        var text = string.Concat(rendered.Objects.Where(IsOurs).Select(item => "---\n" + item.Text));
        var path = Repository.Path($"Tests/Chart/Golden/{values}.yaml");
        if (Repository.IsWriting)
            await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        File.Exists(path).ShouldBeTrue($"{path} is missing: {Repository.HowToWrite}");
        text.ShouldBe(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), Repository.HowToWrite);
    }

    [Fact]
    public void Every_golden_file_has_its_values() =>
        Directory.EnumerateFiles(Repository.Path("Tests/Chart/Golden")).Select(path => Path.GetFileNameWithoutExtension(path))
            .Order(StringComparer.Ordinal).ShouldBe(Helm.ValueSets);

    // The CRD does not depend on values, and the unit suite compares it with the types.
    private static bool IsOurs(RenderedObject item) => item.Kind != "CustomResourceDefinition";
}
