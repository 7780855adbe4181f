using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control.Events;
using Enclaves.Reconciler.Status;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class NedStatusTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DeploymentObservation Starting = new() { IsObserved = true, Total = 1, Updated = 1, Ready = 0, Available = 0 };
    private static readonly DeploymentObservation Running = Starting with { Ready = 1, Available = 1 };

    private static readonly ExpectedMeasurements Expected = new("abc", new Dictionary<string, string> { ["PCR0"] = "0", ["PCR16"] = "16" });

    [Fact]
    public void A_status_that_is_written_does_not_differ()
    {
        var first = NedStatus.Compose(Ned(null), Observe(Running), Expected, Noon);
        first.Differs.ShouldBeTrue();
        NedStatus.Compose(Ned(first.Fields), Observe(Running), Expected, Noon.AddHours(1)).Differs.ShouldBeFalse();
    }

    [Fact]
    public void A_condition_keeps_its_time_until_its_status_changes()
    {
        var first = NedStatus.Compose(Ned(null), Observe(Starting), Expected, Noon);
        var second = NedStatus.Compose(Ned(first.Fields), Observe(Running), Expected, Noon.AddHours(1));
        Time(second, "Scheduled").ShouldBe("2030-01-01T12:00:00Z");
        Time(second, "EnclavesHealthy").ShouldBe("2030-01-01T13:00:00Z");
        second.Conditions.Where(change => change.IsTransition).Select(change => change.Type).ShouldBe(["EnclavesHealthy", "Ready", "Reconciling"]);
    }

    [Fact]
    public void A_status_that_somebody_else_changed_differs()
    {
        var written = NedStatus.Compose(Ned(null), Observe(Running), Expected, Noon).Fields;
        written["ready"] = "7/7";
        NedStatus.Compose(Ned(written), Observe(Running), Expected, Noon).Differs.ShouldBeTrue();
    }

    [Fact]
    public void The_digest_of_the_running_manifest_stays_while_there_is_a_problem()
    {
        var written = NedStatus.Compose(Ned(null), Observe(Running), Expected, Noon).Fields;
        ((string?)NedStatus.Compose(Ned(written), Observe(Running), null, Noon).Fields["manifestDigest"]).ShouldBe(Expected.ManifestDigest);
    }

    [Fact]
    public void Measurements_stay_while_there_is_a_problem_and_go_where_none_can_be_expected()
    {
        var written = NedStatus.Compose(Ned(null), Observe(Running), Expected, Noon).Fields;
        ((string?)written["measurements"]!["PCR0"]).ShouldBe("0");
        ((string?)NedStatus.Compose(Ned(written), Observe(Running), null, Noon).Fields["measurements"]!["PCR16"]).ShouldBe("16");
        var debug = NedStatus.Compose(Ned(written), Observe(Running), Expected with { Registers = null }, Noon);
        debug.Differs.ShouldBeTrue();
        debug.Fields.ContainsKey("measurements").ShouldBeFalse();
    }

    [Fact]
    public void The_note_of_an_event_is_cut_by_bytes_and_at_a_character()
    {
        EventNote.Cut(new string('x', 1024)).Length.ShouldBe(1024);
        var cut = EventNote.Cut("x" + string.Concat(Enumerable.Repeat("😀", 400)));
        Encoding.UTF8.GetByteCount(cut).ShouldBeInRange(1020, 1024);
        cut.ShouldEndWith("😀…");
    }

    private static NedObservation Observe(DeploymentObservation deployment) => new("default", "hello", 1, 1, false, deployment, null);

    private static LiveObject Ned(JsonObject? status)
    {
        var json = new JsonObject { ["metadata"] = new JsonObject { ["namespace"] = "default", ["name"] = "hello", ["generation"] = 1 } };
        if (status is not null)
            json["status"] = status.DeepClone();
        return LiveObject.From(JsonSerializer.SerializeToElement(json))!;
    }

    private static string? Time(NedStatus status, string type) =>
        (string?)status.Fields["conditions"]!.AsArray().Single(condition => (string?)condition!["type"] == type)!["lastTransitionTime"];
}
