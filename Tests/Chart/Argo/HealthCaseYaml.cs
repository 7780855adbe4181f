using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.EventEmitters;

namespace Enclaves.Tests.Chart.Argo;

/// <summary>The text of a file in docs/argocd/testdata.</summary>
internal static class HealthCaseYaml
{
    private static readonly ISerializer Serializer = new SerializerBuilder()
        .WithQuotingNecessaryStrings()
        .WithEventEmitter(next => new QuotedTimes(next))
        .WithNewLine("\n")
        .Build();

    public static string Text(HealthCase item) =>
        "# Written by the suite chart from the Reconciler's own code: see CONTRIBUTING.md.\n" + Serializer.Serialize(Convert(item.Object)!);

    private static object? Convert(JsonNode? node) => node switch
    {
        JsonObject map => map.ToDictionary(entry => entry.Key, entry => Convert(entry.Value)),
        JsonArray list => list.Select(Convert).ToList(),
        JsonValue value => value.GetValueKind() switch
        {
            JsonValueKind.Number => long.Parse(value.ToJsonString(), CultureInfo.InvariantCulture),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => (string?)value,
        },
        _ => null,
    };

    // To some readers of YAML, Argo CD's among them, a plain 2030-01-01T12:00:00Z is no text.
    private sealed class QuotedTimes(IEventEmitter next) : ChainedEventEmitter(next)
    {
        public override void Emit(ScalarEventInfo eventInfo, IEmitter emitter)
        {
            if (eventInfo.Source.Value is string text && DateTime.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
                eventInfo.Style = ScalarStyle.DoubleQuoted;
            base.Emit(eventInfo, emitter);
        }
    }
}
