using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Status;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class NodeRoomTests
{
    private const string Device = "aws.ec2.nitro/nitro_enclaves";
    private const string Pages = "hugepages-2Mi";

    private readonly ObjectStore<LiveObject> _nodes = new();
    private readonly ObjectStore<LiveObject> _pods = new();

    [Fact]
    public void A_pod_that_waits_for_a_free_enclave_is_told_who_has_how_many()
    {
        Node("a", (Device, "2"), (Pages, "4Gi"));
        Node("b", (Device, "1"), (Pages, "4Gi"));
        Node("without-enclaves", (Pages, "100Gi"));
        Pod("one", "a", (Device, "1"), (Pages, "1Gi"));
        Pod("two", "a", (Device, "1"), (Pages, "1Gi"));
        Pod("three", "b", (Device, "1"), (Pages, "1Gi"));
        var trouble = Weigh(Reasons.NoFreeDevice, (Device, "1"), (Pages, "1Gi"));
        trouble.NeedsHelp.ShouldBeFalse();
        trouble.Message.ShouldBe($"The scheduler's. It asks for 1 of {Device}; free are 0 of 2 on a, 0 of 1 on b.");
    }

    [Fact]
    public void What_no_empty_node_could_hold_needs_help()
    {
        Node("a", (Device, "4"), (Pages, "4Gi"));
        Node("b", (Device, "4"), (Pages, "6Gi"));
        Node("c", (Device, "4"));
        Node("d", (Device, "4"));
        Pod("one", "b", (Device, "1"), (Pages, "5Gi"));
        var trouble = Weigh(Reasons.NoHugepages, (Device, "1"), (Pages, "8Gi"), ("cpu", "100m"));
        trouble.Reason.ShouldBe("NoNodeFits");
        trouble.NeedsHelp.ShouldBeTrue();
        trouble.Message.ShouldContain($"It asks for 8Gi of {Pages}; free are 4Gi of 4Gi on a, 1Gi of 6Gi on b, 0 of 0 on c, and no more on 1 other nodes.");
    }

    [Fact]
    public void Nodes_of_which_each_lacks_something_else_hold_nothing_either()
    {
        Node("a", (Device, "1"), (Pages, "8Gi"), ("cpu", "1"));
        Node("b", (Device, "1"), (Pages, "1Gi"), ("cpu", "8"));
        Weigh(Reasons.NoRoom, (Device, "1"), (Pages, "8Gi"), ("cpu", "4")).NeedsHelp.ShouldBeTrue();
    }

    [Fact]
    public void Of_CPU_only_the_whole_is_known()
    {
        Node("a", (Device, "4"), ("cpu", "4"));
        Weigh(Reasons.NoRoom, (Device, "1"), ("cpu", "3500m")).Message.ShouldEndWith("It asks for 3.5 of cpu; for all pods together there are 4 on a.");
        Weigh(Reasons.NoRoom, (Device, "1"), ("cpu", "4500m")).Message.ShouldContain("It asks for 4.5 of cpu; for all pods together there are 4 on a.");
    }

    [Fact]
    public void A_cluster_whose_nodes_with_enclaves_are_yet_to_come_needs_no_help()
    {
        Node("without-enclaves", (Pages, "100Gi"));
        var trouble = Weigh(Reasons.NoFreeDevice, (Device, "1"));
        trouble.NeedsHelp.ShouldBeFalse();
        trouble.Message.ShouldContain("device plugin");
    }

    [Fact]
    public void What_has_ended_takes_nothing()
    {
        Node("a", (Device, "1"));
        Pod("ended", "a", (Device, "1"), phase: "Failed");
        Weigh(Reasons.NoFreeDevice, (Device, "1")).Message.ShouldContain("1 of 1 on a");
    }

    [Fact]
    public void Where_no_node_is_known_nothing_is_said_of_them() =>
        Weigh(Reasons.NoFreeDevice, (Device, "1")).ShouldBe(new PodTrouble(Reasons.NoFreeDevice, "The scheduler's."));

    [Fact]
    public void Another_cause_is_left_as_it_is()
    {
        Node("a", (Device, "1"));
        Weigh(Reasons.NoMatchingNode, (Device, "2")).ShouldBe(new PodTrouble(Reasons.NoMatchingNode, "The scheduler's."));
        Weigh(Reasons.NoRoom, ("cpu", "2")).ShouldBe(new PodTrouble(Reasons.NoRoom, "The scheduler's."));
    }

    private PodTrouble Weigh(string reason, params (string, string)[] asked) =>
        new NodeRoom(_nodes, _pods, TimeProvider.System).Weigh(Object("waits", null, null, asked), new PodTrouble(reason, "The scheduler's."));

    private void Node(string name, params (string, string)[] allocatable) => _nodes.Put(Live(new { metadata = Meta("", name), status = new { allocatable = Amounts(allocatable) } }));

    private void Pod(string name, string node, (string, string) asked, (string, string)? more = null, string phase = "Running") =>
        _pods.Put(Object(name, node, phase, more is { } second ? [asked, second] : [asked]));

    private static LiveObject Object(string name, string? node, string? phase, (string, string)[] asked) => Live(new
    {
        metadata = Meta("default", name),
        spec = new { nodeName = node, containers = new[] { new { resources = new { requests = Amounts(asked) } } } },
        status = new { phase },
    });

    private static Dictionary<string, string> Meta(string space, string name) => new() { ["namespace"] = space, ["name"] = name, ["uid"] = name, ["resourceVersion"] = name };

    private static Dictionary<string, string> Amounts((string Name, string Amount)[] amounts) => amounts.ToDictionary(item => item.Name, item => item.Amount);

    private static LiveObject Live<T>(T value) => LiveObject.From(JsonSerializer.SerializeToElement(value))!;
}
