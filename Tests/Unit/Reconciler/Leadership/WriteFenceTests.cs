using Enclaves.Reconciler.Leadership;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Leadership;

public sealed class WriteFenceTests
{
    private readonly TestClock _clock = new();

    [Fact]
    public void Without_an_election_everything_passes() => new WriteFence(_clock).IsOpen.ShouldBeTrue();

    [Fact]
    public void It_closes_by_itself_when_the_lease_is_past()
    {
        var fence = new WriteFence(_clock);
        fence.OpenFor(_clock.GetTimestamp(), TimeSpan.FromSeconds(15));
        _clock.Advance(TimeSpan.FromSeconds(14));
        fence.IsOpen.ShouldBeTrue();
        _clock.Advance(TimeSpan.FromSeconds(1));
        fence.IsOpen.ShouldBeFalse();
    }

    [Fact]
    public void The_lease_counts_from_before_the_call_that_renewed_it()
    {
        var fence = new WriteFence(_clock);
        var began = _clock.GetTimestamp();
        _clock.Advance(TimeSpan.FromSeconds(9));
        fence.OpenFor(began, TimeSpan.FromSeconds(15));
        _clock.Advance(TimeSpan.FromSeconds(6));
        fence.IsOpen.ShouldBeFalse();
    }

    [Fact]
    public void Closed_it_names_the_write_that_was_not_sent()
    {
        var fence = new WriteFence(_clock);
        fence.Close();
        Should.Throw<NotLeaderException>(() => fence.Require("applying Deployment a/b")).Message.ShouldContain("applying Deployment a/b");
    }
}
