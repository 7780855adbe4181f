using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Status;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Health;

public sealed class PodFindingsTests
{
    private const string Running = """{"running":{}}""";
    private const string Creating = """{"waiting":{"reason":"ContainerCreating"}}""";
    private static readonly PodTrouble Trouble = new("PluginImagePull", "x");

    private readonly FakeTimeProvider _time = new();
    private readonly ClusterStores _stores = new();
    private readonly PodFindings _findings;
    private readonly List<ObjectKey> _told = [];
    private int _version;

    public PodFindingsTests()
    {
        _findings = new PodFindings(_stores, _time);
        _findings.Changed += _told.Add;
    }

    [Theory]
    [InlineData(Running, nameof(PodLookKind.Status))]
    [InlineData(Creating, nameof(PodLookKind.Events))]
    public void A_pod_that_is_not_ready_has_its_turn_after_a_while(string state, string kind)
    {
        Put(state);
        _findings.Due().ShouldBeEmpty();
        _time.Advance(TimeSpan.FromSeconds(3));
        _findings.Due().ShouldHaveSingleItem().Kind.ToString().ShouldBe(kind);
    }

    [Theory]
    [InlineData("""{"waiting":{"reason":"ImagePullBackOff"}}""", "False", "10.0.0.7")]
    [InlineData("""{"waiting":{"reason":"CrashLoopBackOff"}}""", "False", "10.0.0.7")]
    [InlineData(Running, "True", "10.0.0.7")]
    [InlineData(Running, "False", "169.254.169.254")]
    [InlineData(Running, "False", "localhost")]
    public void A_pod_whose_status_tells_or_that_cannot_be_asked_has_none(string state, string ready, string address)
    {
        Put(state, ready, address);
        _findings.Count.ShouldBe(0);
    }

    [Fact]
    public void What_is_found_is_told_once_and_looked_at_again_ever_more_seldom()
    {
        var pod = Put(Running);
        var looks = 0;
        for (var second = 0; second < 600; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            foreach (var (due, kind) in _findings.Due())
            {
                looks++;
                _findings.Found(due, kind, Trouble);
            }
        }

        _findings.Of(pod).ShouldBe(Trouble);
        _told.ShouldBe([new ObjectKey("default", "hello")]);
        looks.ShouldBeInRange(20, 30);
    }

    [Fact]
    public void A_pod_that_is_ready_or_gone_is_forgotten()
    {
        var pod = Put(Running);
        _findings.Found(pod, PodLookKind.Status, Trouble);
        Put(Running, ready: "True");
        _findings.Of(pod).ShouldBeNull();
        _told.Count.ShouldBe(2);
        Put(Running);
        _stores.Pods.Remove(pod.Key);
        _findings.Count.ShouldBe(0);
    }

    [Fact]
    public void Another_life_of_the_container_or_another_pod_of_the_name_starts_anew()
    {
        var pod = Put(Running);
        _findings.Found(pod, PodLookKind.Status, Trouble);
        Put(Running, restarts: 1);
        _findings.Of(pod).ShouldBeNull();
        // A look that began before is about what is over.
        _findings.Found(pod, PodLookKind.Status, Trouble);
        _findings.Of(pod).ShouldBeNull();
        var other = Put(Running, uid: "another");
        _findings.Count.ShouldBe(1);
        _findings.Of(other).ShouldBeNull();
    }

    [Fact]
    public void One_answer_that_does_not_come_changes_nothing_and_three_are_told_of()
    {
        var pod = Put(Running);
        _findings.Found(pod, PodLookKind.Status, Trouble);
        _findings.Failed(pod, PodLookKind.Status, "no answer");
        _findings.Failed(pod, PodLookKind.Status, "no answer");
        _findings.Of(pod).ShouldBe(Trouble);
        _findings.Failed(pod, PodLookKind.Status, "no answer");
        _findings.Of(pod).ShouldNotBeNull().Reason.ShouldBe("EnclaveHostSilent");
        _findings.Found(pod, PodLookKind.Status, null);
        _findings.Of(pod).ShouldBeNull();
    }

    private LiveObject Put(string state, string ready = "False", string address = "10.0.0.7", int restarts = 0, string uid = "u")
    {
        using var document = JsonDocument.Parse($$$"""
            {"metadata":{"name":"a","namespace":"default","uid":"{{{uid}}}","resourceVersion":"{{{++_version}}}","labels":{"k8s.oblv.com/deployment":"hello"}},
            "status":{"podIP":"{{{address}}}","conditions":[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"{{{ready}}}"}],
            "containerStatuses":[{"name":"enclave-host","restartCount":{{{restarts}}},"state":{{{state}}}}]}}
            """);
        var pod = LiveObject.From(document.RootElement.Clone())!;
        _stores.Pods.Put(pod);
        return pod;
    }
}
