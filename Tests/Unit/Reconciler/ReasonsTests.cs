using System.Reflection;
using System.Text.RegularExpressions;
using Enclaves.Reconciler.Status;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed partial class ReasonsTests
{
    private static readonly string[] All =
        [.. typeof(Reasons).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!)];

    [Fact]
    public void The_page_on_troubleshooting_lists_each_reason_once_and_no_other()
    {
        var page = File.ReadAllText(Repository.PathOf("docs/troubleshooting.md"));
        // Those of the tables of reasons, which have three columns.
        Row().Matches(page).Select(row => row.Groups["reason"].Value).Order(StringComparer.Ordinal)
            .ShouldBe(All.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Each_is_a_CamelCase_word() => All.ShouldAllBe(reason => Word().IsMatch(reason));

    // What is written in place of a constant would be missing on the page without anybody noticing.
    [Fact]
    public void No_reason_is_written_where_it_is_used()
    {
        var sources = Directory.EnumerateFiles(Repository.PathOf("Reconciler"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)).ToList();
        sources.Count.ShouldBeGreaterThan(30);
        sources.SelectMany(file => Literal().Matches(File.ReadAllText(file)).Select(match => $"{Path.GetFileName(file)}: {match.Value}")).ShouldBeEmpty();
    }

    [GeneratedRegex(@"^\| `(?<reason>[A-Za-z]+)` \|[^|\n]+\|[^|\n]*\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\A([A-Z][a-z]+)+\z")]
    private static partial Regex Word();

    [GeneratedRegex("""(new (NedProblem|PodTrouble|Verdict)|Verdict\.(True|False)|(?<!\w)new)\(("Unknown", )?"(?!(True|False|Unknown)")[A-Z][A-Za-z]+",""")]
    private static partial Regex Literal();
}
