using System.Text.RegularExpressions;

namespace Enclaves.Tests.Chart;

/// <summary>values.yaml as its readers see it: each value with the comment above it.</summary>
internal static partial class ValuesComments
{
    /// <summary>In the file's order, every value that is not a block of further ones, and every block: its path, its default, what is said of it.</summary>
    public static IReadOnlyList<(string Path, string Default, string Comment)> Read()
    {
        var found = new List<(string, string, string)>();
        var parents = new Stack<(int Indent, string Key)>();
        var comment = new List<string>();
        foreach (var line in Repository.Read("charts/enclaves/values.yaml").Split('\n'))
        {
            if (Comment().Match(line) is { Success: true } said)
                comment.Add(said.Groups[1].Value);
            if (Key().Match(line) is { Success: true } key)
            {
                var indent = key.Groups[1].Length;
                while (parents.TryPeek(out var above) && above.Indent >= indent)
                    parents.Pop();
                parents.Push((indent, key.Groups[2].Value));
                var path = string.Join('.', parents.Reverse().Select(parent => parent.Key));
                // What a pod's container has is Kubernetes' to explain.
                if (!parents.Any(parent => parent.Key is "requests" or "limits"))
                    found.Add((path, key.Groups[3].Value, string.Join(' ', comment)));
            }

            if (!line.TrimStart().StartsWith('#'))
                comment.Clear();
        }

        return found;
    }

    /// <summary>The table of the chart's README.</summary>
    public static string Table() => "| value | default | |\n|---|---|---|\n" + string.Concat(Read().Where(value => value.Comment.Length > 0).Select(value =>
        $"| `{value.Path}` | {(value.Default.Length == 0 ? "" : $"`{value.Default}`")} | {Text(value.Comment)} |\n"));

    private static string Text(string comment) =>
        comment.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "\\<", StringComparison.Ordinal);

    [GeneratedRegex(@"^\s*# (.*)$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^(\s*)([A-Za-z]+):(?: (.+))?$")]
    private static partial Regex Key();
}
