using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Enclaves.Tests.Unit.Api.Crd;

/// <summary>
/// Summaries of types and properties from the documentation files next to the test: our own in full, of Kubernetes' types
/// the first sentence, which is enough to know which field of a pod it is.
/// </summary>
internal sealed partial class DocumentationComments
{
    private readonly Dictionary<string, string> _summaries = new(StringComparer.Ordinal);

    public static DocumentationComments Load()
    {
        var comments = new DocumentationComments();
        comments.Read("Enclaves.Api.xml", text => text);
        comments.Read("KubernetesClient.xml", FirstSentence);
        return comments;
    }

    public string? Of(Type type) => _summaries.GetValueOrDefault($"T:{type.FullName}");

    public string? Of(PropertyInfo member) => _summaries.GetValueOrDefault($"P:{member.DeclaringType!.FullName}.{member.Name}");

    private void Read(string file, Func<string, string> shorten)
    {
        foreach (var member in XDocument.Load(Path.Combine(AppContext.BaseDirectory, file)).Descendants("member"))
        {
            if (member.Element("summary") is not { } summary)
                continue;
            var text = Spaces().Replace(Text(summary), " ").Trim();
            if (text.Length > 0)
                _summaries[member.Attribute("name")!.Value] = shorten(text);
        }
    }

    // <see cref="P:Enclaves.Api.EnclaveSpec.Memory"/> reads as its last part.
    private static string Text(XElement element) => string.Concat(element.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see when see.Attribute("cref") is { } target => target.Value.Split('.')[^1],
        XElement other => Text(other),
        _ => "",
    }));

    private static string FirstSentence(string text)
    {
        var end = SentenceEnd().Match(text);
        return end.Success ? text[..(end.Index + 1)] : text;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"(?<!i\.e|e\.g|etc)\.(?= [A-Z-])")]
    private static partial Regex SentenceEnd();
}
