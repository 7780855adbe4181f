using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Reconciling;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class NedMemoryTests
{
    private readonly NedMemory _memory = new();

    [Fact]
    public void The_echo_of_a_status_is_known_before_and_after_the_reply()
    {
        var (before, after) = (Ned("1", null), Ned("2", "SCHEDULED"));
        _memory.IsEcho(before, after).ShouldBeFalse();
        _memory.Writes(new JsonObject { ["status"] = "SCHEDULED" });
        _memory.IsEcho(before, after).ShouldBeTrue();
        _memory.WroteStatus(before, after);
        _memory.IsEcho(before, after).ShouldBeTrue();
        // Somebody has changed it since.
        _memory.IsEcho(after, Ned("3", "SCHEDULED")).ShouldBeFalse();
    }

    [Fact]
    public void A_change_that_came_with_the_echo_is_no_echo()
    {
        _memory.Writes(new JsonObject { ["status"] = "SCHEDULED" });
        _memory.WroteStatus(Ned("1", null), Ned("2", "SCHEDULED"));
        _memory.IsEcho(Ned("1", null, generation: 1), Ned("2", "SCHEDULED", generation: 2)).ShouldBeFalse();
        _memory.IsEcho(Ned("1", null, label: "a"), Ned("2", "SCHEDULED", label: "b")).ShouldBeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_reply_to_a_write_stands_in_until_the_watch_brings_it(bool echoFirst)
    {
        var (before, after) = (Ned("1", null), Ned("2", "SCHEDULED"));
        _memory.Writes(new JsonObject { ["status"] = "SCHEDULED" });
        if (echoFirst)
            _memory.IsEcho(before, after).ShouldBeTrue();
        _memory.WroteStatus(before, after);
        if (!echoFirst)
        {
            _memory.Latest(NedKind.Resource, before).ShouldBeSameAs(after);
            _memory.IsEcho(before, after).ShouldBeTrue();
        }

        _memory.Latest(NedKind.Resource, before).ShouldBeSameAs(before, "nothing is kept of a write that the store has seen");
    }

    private static LiveObject Ned(string version, string? status, int generation = 1, string label = "a")
    {
        var ned = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "hello", ["uid"] = "u", ["resourceVersion"] = version, ["generation"] = generation, ["labels"] = new JsonObject { ["app"] = label },
            },
        };
        if (status is not null)
            ned["status"] = new JsonObject { ["status"] = status };
        return LiveObject.From(JsonSerializer.SerializeToElement(ned))!;
    }
}
