using Enclaves.Orchestrator.Containers;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class RestartDecisionTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_container_that_keeps_crashing_waits_as_long_as_a_kubelet_lets_it_wait()
    {
        var waits = new List<double>();
        var history = default(RestartHistory);
        var now = Start;
        for (var i = 0; i < 8; i++)
        {
            var restart = RestartDecision.Of(RestartPolicy.Always, failed: true, now, history).ShouldBeOfType<RestartDecision.Restart>();
            waits.Add((restart.At - now).TotalSeconds);
            history = restart.History;
            now = restart.At + TimeSpan.FromSeconds(1);
        }

        waits.ShouldBe([0, 10, 20, 40, 80, 160, 300, 300]);
    }

    [Fact]
    public void Ten_minutes_of_running_make_the_next_restart_immediate_again()
    {
        var history = new RestartHistory(TimeSpan.FromMinutes(5), Start);
        var healthy = Start + TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1);
        var restart = RestartDecision.Of(RestartPolicy.Always, failed: true, healthy, history).ShouldBeOfType<RestartDecision.Restart>();
        restart.At.ShouldBe(healthy);
        restart.History.BackOff.ShouldBe(TimeSpan.FromSeconds(10));

        var tooSoon = Start + TimeSpan.FromMinutes(10);
        RestartDecision.Of(RestartPolicy.Always, failed: true, tooSoon, history)
            .ShouldBeOfType<RestartDecision.Restart>().At.ShouldBe(tooSoon + TimeSpan.FromMinutes(5));
    }

    [Theory]
    [InlineData(nameof(RestartPolicy.Always), 0, true)]
    [InlineData(nameof(RestartPolicy.Always), 1, true)]
    [InlineData(nameof(RestartPolicy.OnFailure), 0, false)]
    [InlineData(nameof(RestartPolicy.OnFailure), 137, true)]
    [InlineData(nameof(RestartPolicy.Never), 0, false)]
    [InlineData(nameof(RestartPolicy.Never), 1, false)]
    public void The_policy_decides_whether_there_is_a_restart_at_all(string policy, int exitCode, bool restarts)
    {
        var decision = RestartDecision.Of(Enum.Parse<RestartPolicy>(policy), exitCode != 0, Start, default);
        (decision is RestartDecision.Restart).ShouldBe(restarts);
    }

    [Fact]
    public void Failed_pulls_wait_longer_each_time_and_at_most_five_minutes()
    {
        var backOff = new PullBackOff();
        Enumerable.Range(0, 7).Select(_ => backOff.Next().TotalSeconds).ShouldBe([10, 20, 40, 80, 160, 300, 300]);
        backOff.Reset();
        backOff.Next().TotalSeconds.ShouldBe(10);
    }
}
