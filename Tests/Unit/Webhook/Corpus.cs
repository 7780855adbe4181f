using System.Text.Json.Nodes;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

/// <summary>Objects that were picked by hand, as API servers send them, with fields that our types do not know. Their files are named after their kinds.</summary>
internal static class Corpus
{
    public static TheoryData<string> Neds => new(Names("ned-"));

    public static TheoryData<string> Pods => new(Names("pod-"));

    public static JsonNode Read(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json")))!;

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Corpus");

    private static IEnumerable<string> Names(string prefix) =>
        Directory.EnumerateFiles(Folder, prefix + "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);
}
