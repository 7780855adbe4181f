using System.Text.RegularExpressions;

namespace Enclaves.Tests.Chart;

/// <summary>The metrics that the documentation names, and those that a query asks for: each with its labels.</summary>
internal static partial class PromQl
{
    // What Prometheus adds to whatever it scrapes, and to histograms.
    private static readonly string[] OfPrometheus = ["instance", "pod", "namespace", "le"];

    /// <summary>docs/metrics.md: labels by name. "as above" takes those of the two metrics that it is said of.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<string>> Documented()
    {
        var found = new Dictionary<string, IReadOnlySet<string>>(StringComparer.Ordinal);
        foreach (var cells in Repository.Read("docs/metrics.md").Split('\n').Where(line => line.StartsWith("| `enclave", StringComparison.Ordinal)).Select(line => line.Split('|')))
        {
            var labels = Quoted().Matches(cells[2]).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
            foreach (var name in Quoted().Matches(cells[1]).Select(match => match.Groups[1].Value))
                found[name] = cells[2].Contains("as above", StringComparison.Ordinal) ? found[name.Replace("self_", "", StringComparison.Ordinal)] : labels;
        }

        return found;
    }

    /// <summary>What a query asks for that is not documented.</summary>
    public static IEnumerable<string> Unknown(string query)
    {
        var documented = Documented();
        var names = Metric().Matches(query).Select(match => Base(match.Groups[1].Value, documented)).Distinct().ToList();
        foreach (var name in names.Where(name => !documented.ContainsKey(name)))
            yield return name;
        var known = names.SelectMany(name => documented.GetValueOrDefault(name) ?? new HashSet<string>()).Concat(OfPrometheus).ToHashSet(StringComparer.Ordinal);
        foreach (Match match in Metric().Matches(query))
        {
            var own = documented.GetValueOrDefault(Base(match.Groups[1].Value, documented)) ?? new HashSet<string>();
            foreach (var label in Matcher().Matches(match.Groups[2].Value).Select(label => label.Groups[1].Value).Where(label => !own.Contains(label) && !OfPrometheus.Contains(label)))
                yield return $"{match.Groups[1].Value} has no label {label}";
        }

        foreach (var label in Grouping().Matches(query).SelectMany(match => match.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries)).Where(label => !known.Contains(label)))
            yield return $"none of them has a label {label}";
    }

    /// <summary>The names of metrics in a query.</summary>
    public static IEnumerable<string> Names(string query) => Metric().Matches(query).Select(match => Base(match.Groups[1].Value, Documented())).Distinct();

    private static string Base(string name, IReadOnlyDictionary<string, IReadOnlySet<string>> documented) =>
        Suffix().Replace(name, "") is var histogram && documented.ContainsKey(histogram) ? histogram : name;

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\b(enclaves?_[a-z_]+)(\{[^}]*\})?")]
    private static partial Regex Metric();

    [GeneratedRegex("([a-z_]+)(?:=~|!~|!=|=)\"")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"\b(?:by|on) \(([^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex("_(bucket|count|sum)$")]
    private static partial Regex Suffix();
}
