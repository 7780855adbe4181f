using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Enclaves.Tests.Unit.Api.Crd;

/// <summary>
/// What the documentation files next to the test say of types and properties. Of our own: the summary, which is what a field means, and the
/// remarks, which are the rules that admission checks and a schema cannot say. Of Kubernetes' types: the first sentence, which is enough to
/// know which field of a pod it is.
/// </summary>
internal sealed partial class DocumentationComments
{
    private readonly Dictionary<string, string> _summaries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _rules = new(StringComparer.Ordinal);

    public static DocumentationComments Load()
    {
        var comments = new DocumentationComments();
        Read(comments._summaries, "Enclaves.Api.xml", "summary", text => text);
        Read(comments._rules, "Enclaves.Api.xml", "remarks", text => text);
        Read(comments._summaries, "KubernetesClient.xml", "summary", FirstSentence);
        return comments;
    }

    /// <summary>What it means.</summary>
    public string? Meaning(MemberInfo member) => _summaries.GetValueOrDefault(Key(member));

    /// <summary>What admission checks of it besides the schema.</summary>
    public string? Rules(MemberInfo member) => _rules.GetValueOrDefault(Key(member));

    /// <summary>Both, as kubectl explain shows them.</summary>
    public string? Of(MemberInfo member) => Meaning(member) is not { } meaning ? null : Rules(member) is { } rules ? $"{meaning} {rules}" : meaning;

    private static string Key(MemberInfo member) => member is Type type ? $"T:{type.FullName}" : $"P:{member.DeclaringType!.FullName}.{member.Name}";

    private static void Read(Dictionary<string, string> into, string file, string element, Func<string, string> shorten)
    {
        foreach (var member in XDocument.Load(Path.Combine(AppContext.BaseDirectory, file)).Descendants("member"))
        {
            if (member.Element(element) is not { } found)
                continue;
            var text = Spaces().Replace(Text(found), " ").Trim();
            if (text.Length > 0)
                into[member.Attribute("name")!.Value] = shorten(text);
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
