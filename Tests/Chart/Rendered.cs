using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Enclaves.Tests.Chart;

/// <summary>One object of the chart, as text and as data.</summary>
internal sealed record RenderedObject(string Text, JsonNode Json)
{
    public string Kind => (string)Json["kind"]!;

    public string Name => (string)Json["metadata"]!["name"]!;

    /// <summary>The pod that this object makes, or null when it makes none.</summary>
    public JsonNode? Pod => Json["spec"]?["template"];
}

/// <summary>All objects of the chart with one set of values.</summary>
internal sealed partial record Rendered(IReadOnlyList<RenderedObject> Objects)
{
    /// <summary>Reads what helm template prints. The order is ours: helm's differs between its versions.</summary>
    public static Rendered Parse(string text) => new(
    [
        .. Separator().Split(text)
            .Where(part => !string.IsNullOrWhiteSpace(part))
            .Select(part => new RenderedObject(part.Trim('\n') + "\n", Yaml.One(part)))
            .OrderBy(item => item.Kind, StringComparer.Ordinal)
            .ThenBy(item => item.Name, StringComparer.Ordinal),
    ]);

    /// <summary>The objects of a kind.</summary>
    public IEnumerable<RenderedObject> OfKind(string kind) => Objects.Where(item => item.Kind == kind);

    /// <summary>The one object of this kind and name.</summary>
    public RenderedObject Get(string kind, string name) => Objects.Single(item => item.Kind == kind && item.Name == name);

    [GeneratedRegex("^---$", RegexOptions.Multiline)]
    private static partial Regex Separator();
}
