namespace Enclaves.Tests.Chart;

/// <summary>Runs helm on the chart, without a cluster.</summary>
internal static class Helm
{
    /// <summary>Where the tests release it.</summary>
    public const string Namespace = "enclaves-system";

    /// <summary>The release's name: not the chart's, so that one used for the other shows.</summary>
    public const string Release = "blue";

    /// <summary>The chart's folder.</summary>
    public static string Chart => Repository.Path("charts/enclaves");

    /// <summary>The sets of values in Values/, by name.</summary>
    public static IEnumerable<string> ValueSets =>
        Directory.EnumerateFiles(Repository.Path("Tests/Chart/Values"), "*.yaml").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal);

    /// <summary>helm lint with a set of values.</summary>
    public static Task<ToolResult> Lint(string values) => Tool.Run("helm", "", "lint", "--strict", Chart, "-f", ValuesFile(values));

    /// <summary>helm template with a set of values and more arguments.</summary>
    public static Task<ToolResult> TryTemplate(string values, params IEnumerable<string> arguments) =>
        Tool.Run("helm", "", ["template", Release, Chart, "-n", Namespace, "-f", ValuesFile(values), .. arguments]);

    /// <summary>What helm template makes of a set of values, which it must accept.</summary>
    public static async Task<Rendered> Template(string values, params IEnumerable<string> arguments) =>
        Rendered.Parse((await TryTemplate(values, arguments)).Succeeded());

    private static string ValuesFile(string values) => Repository.Path($"Tests/Chart/Values/{values}.yaml");
}
