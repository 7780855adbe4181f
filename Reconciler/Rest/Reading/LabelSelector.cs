using System.Text.RegularExpressions;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>
/// A label selector as kubectl takes it: <c>a=b, a==b, a!=b, a in (b,c), a notin (b,c), a, !a</c>, separated by commas, all of which must hold
/// (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/).
/// </summary>
internal sealed partial class LabelSelector
{
    /// <summary>Longest selector, in characters.</summary>
    public const int MostCharacters = 4096;

    private readonly List<Func<IReadOnlyDictionary<string, string>, bool>> _requirements = [];

    private LabelSelector(string text) => Text = text;

    /// <summary>As it was given.</summary>
    public string Text { get; }

    /// <summary>Reads one; an empty one selects everything.</summary>
    /// <returns>The selector, or what is wrong.</returns>
    public static (LabelSelector? Selector, string? Problem) Parse(string text)
    {
        if (text.Length > MostCharacters)
            return (null, $"The selector has {text.Length} characters; at most {MostCharacters} are allowed.");
        var selector = new LabelSelector(text);
        var rest = text.AsSpan().Trim();
        while (rest.Length > 0)
        {
            var match = Requirement().Match(rest.ToString());
            if (!match.Success)
                return (null, $"'{(rest.Length > 60 ? string.Concat(rest[..60], "…") : rest)}' is not a requirement; allowed are a=b, a!=b, a in (b,c), a notin (b,c), a and !a, separated by commas.");
            selector._requirements.Add(Read(match));
            rest = rest[match.Length..];
        }

        return (selector, null);
    }

    /// <summary>Whether labels are selected.</summary>
    public bool Matches(IReadOnlyDictionary<string, string> labels) => _requirements.TrueForAll(requirement => requirement(labels));

    private static Func<IReadOnlyDictionary<string, string>, bool> Read(Match match)
    {
        var key = match.Groups["key"].Value;
        if (match.Groups["not"].Success)
            return labels => !labels.ContainsKey(key);
        if (match.Groups["op"].Success)
        {
            var value = match.Groups["value"].Value;
            return match.Groups["op"].Value == "!=" ? labels => labels.GetValueOrDefault(key) != value : labels => labels.GetValueOrDefault(key) == value;
        }

        if (!match.Groups["set"].Success)
            return labels => labels.ContainsKey(key);
        var values = match.Groups["values"].Value.Split(',', StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
        return match.Groups["set"].Value == "in"
            ? labels => labels.GetValueOrDefault(key) is { } value && values.Contains(value)
            : labels => labels.GetValueOrDefault(key) is not { } value || !values.Contains(value);
    }

    // Without backtracking: a selector of the longest size is read in linear time, whatever it holds.
    [GeneratedRegex(
        @"^\s*(?:(?<not>!)\s*(?<key>[A-Za-z0-9][-A-Za-z0-9_./]*)"
        + @"|(?<key>[A-Za-z0-9][-A-Za-z0-9_./]*)(?:\s*(?<op>==|=|!=)\s*(?<value>[-A-Za-z0-9_.]*)|\s+(?<set>in|notin)\s*\((?<values>[-A-Za-z0-9_., ]*)\))?)\s*(?:,|$)",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Requirement();
}
