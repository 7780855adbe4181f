using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Actions;
using Enclaves.Reconciler.Cluster;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Actions;

public sealed class NedActionTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 1, 12, 30, 0, TimeSpan.Zero);

    [Fact]
    public void What_is_written_is_read()
    {
        var later = NedAction.New(NedActionKind.Restart, At + TimeSpan.FromSeconds(1), "ada@example.org");
        var sooner = NedAction.New(NedActionKind.Reconcile, At, "system:serviceaccount:a:b");
        NedAction.Of(Ned((later.Annotation, later.Write()), (sooner.Annotation, sooner.Write()), ("other", "x"))).ShouldBe([sooner, later]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"action":"restart"}""")]
    [InlineData("""{"action":"explode","time":"2026-01-01T00:00:00Z","by":"x"}""")]
    [InlineData("""{"action":"restart","time":"yesterday","by":"x"}""")]
    [InlineData("""{"action":"restart","time":"2026-01-01T00:00:00Z","by":null}""")]
    public void What_is_none_is_told_and_not_taken(string value)
    {
        var unreadable = new List<string>();
        NedAction.Of(Ned(("action.k8s.oblv.com/x", value)), unreadable.Add).ShouldBeEmpty();
        unreadable.ShouldBe(["action.k8s.oblv.com/x"]);
    }

    [Fact]
    public void One_without_end_is_not_read() =>
        NedAction.Of(Ned(("action.k8s.oblv.com/x", $$"""{"action":"restart","time":"2026-01-01T00:00:00Z","by":"{{new string('x', 2000)}}"}"""))).ShouldBeEmpty();

    private static LiveObject Ned(params (string Key, string Value)[] annotations)
    {
        var ned = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "hello",
                ["annotations"] = new JsonObject(annotations.Select(each => KeyValuePair.Create(each.Key, (JsonNode?)each.Value))),
            },
        };
        using var document = JsonDocument.Parse(ned.ToJsonString());
        return LiveObject.From(document.RootElement.Clone())!;
    }
}
