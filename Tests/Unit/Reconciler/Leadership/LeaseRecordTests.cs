using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Leadership;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Leadership;

public sealed class LeaseRecordTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly LeaseSettings Settings = new() { Namespace = "enclaves-system", Name = "reconciler", Identity = "one" };

    [Fact]
    public void A_first_holder_is_no_transition()
    {
        var record = Written("one", null);
        record.ShouldBe(new LeaseRecord("one", 15, "2026-01-02T03:04:05.000000Z", 0));
    }

    [Fact]
    public void A_change_of_hands_is_counted_and_a_renewal_is_not()
    {
        var first = Live(LeaseRecord.Write(Settings, "one", null, Now));
        Written("one", first).Transitions.ShouldBe(0);
        Written("two", first).Transitions.ShouldBe(1);
    }

    [Fact]
    public void A_lease_that_is_given_away_is_held_by_nobody_for_a_second()
    {
        var first = Live(LeaseRecord.Write(Settings, "one", null, Now));
        Written("", first).ShouldBe(new LeaseRecord("", 1, "2026-01-02T03:04:05.000000Z", 0));
    }

    [Fact]
    public void A_renewal_is_of_the_very_version_that_was_read()
    {
        var first = LeaseRecord.Write(Settings, "one", null, Now);
        first["metadata"]!["resourceVersion"] = "41";
        ((string?)LeaseRecord.Write(Settings, "one", Live(first), Now)["metadata"]!["resourceVersion"]).ShouldBe("41");
    }

    [Theory]
    [InlineData("00:00:15", "00:00:15", "00:00:02", "--lease:")]
    [InlineData("00:00:15", "00:00:10", "00:00:10", "--lease:")]
    [InlineData("00:00:00", "00:00:10", "00:00:02", "--lease:duration")]
    public void Times_that_do_not_fit_together_are_refused(string duration, string deadline, string interval, string shown)
    {
        var settings = Settings with { Duration = Time(duration), RenewDeadline = Time(deadline), RenewInterval = Time(interval) };
        Should.Throw<InvalidOperationException>(settings.Require).Message.ShouldContain(shown);
    }

    private static TimeSpan Time(string text) => TimeSpan.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static LeaseRecord Written(string holder, LiveObject? earlier) => LeaseRecord.Of(Live(LeaseRecord.Write(Settings, holder, earlier, Now)));

    private static LiveObject Live(JsonObject json)
    {
        using var document = JsonDocument.Parse(json.ToJsonString());
        return LiveObject.From(document.RootElement.Clone())!;
    }
}
