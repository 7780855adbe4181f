using Enclaves.Orchestrator.Health;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class ProbeLoopTests
{
    private static readonly ProbePlan Plan = new()
    {
        FirstLook = TimeSpan.FromSeconds(1),
        Period = TimeSpan.FromSeconds(5),
        Timeout = TimeSpan.FromSeconds(2),
        SuccessThreshold = 1,
        FailureThreshold = 1,
    };

    private readonly TestClock _time = new();

    [Fact]
    public async Task A_look_without_an_answer_is_a_failure_at_the_end_of_its_time()
    {
        await using var looks = Looks();
        (await NextAsync(looks, Plan.FirstLook, Plan.Timeout)).ShouldBe((ProbeResult.Failure("no answer within 2 s"), true));
    }

    [Fact]
    public async Task A_look_on_a_machine_that_was_late_itself_does_not_count_unless_it_is_always_late()
    {
        await using var looks = Looks();
        var late = Plan.Timeout + TimeSpan.FromSeconds(9);
        for (var i = 0; i < 10; i++)
        {
            var (result, counts) = await NextAsync(looks, i == 0 ? Plan.FirstLook : TimeSpan.Zero, late);
            result.Outcome.ShouldBe(ProbeOutcome.Unknown);
            counts.ShouldBeFalse();
        }

        (await NextAsync(looks, TimeSpan.Zero, late)).ShouldBe((ProbeResult.Failure("no answer within 2 s"), true));
    }

    [Fact]
    public async Task Exposed_ports_are_looked_at_ever_less_often_until_somebody_listens_and_then_calmly()
    {
        var answers = new Queue<ProbeResult>([.. Enumerable.Repeat(ProbeResult.Failure("refused"), 8), ProbeResult.Success, ProbeResult.Success]);
        await using var looks = new ProbeLoop(ProbePlan.Ports, new Answers(answers.Dequeue), _time)
            .LooksAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        foreach (var wait in new[] { 5, 10, 20, 40, 80, 160, 320, 500, 500, 5000 })
        {
            var next = looks.MoveNextAsync();
            await _time.Waits(TimeSpan.FromMilliseconds(wait));
            _time.Advance(TimeSpan.FromMilliseconds(wait));
            (await next).ShouldBeTrue();
        }

        answers.ShouldBeEmpty();
    }

    private IAsyncEnumerator<(ProbeResult Result, bool Counts)> Looks() =>
        new ProbeLoop(Plan, new Silence(), _time).LooksAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

    private async Task<(ProbeResult Result, bool Counts)> NextAsync(
        IAsyncEnumerator<(ProbeResult Result, bool Counts)> looks, TimeSpan before, TimeSpan during)
    {
        var next = looks.MoveNextAsync();
        if (before > TimeSpan.Zero)
        {
            await _time.Waits(before);
            _time.Advance(before);
        }

        await _time.Waits(Plan.Timeout);
        _time.Advance(during);
        (await next).ShouldBeTrue();
        return looks.Current;
    }

    private sealed class Silence : IProbeAsk
    {
        public async Task<ProbeResult> AskAsync(TimeSpan timeout, CancellationToken cancellation)
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return ProbeResult.Success;
        }
    }

    private sealed class Answers(Func<ProbeResult> next) : IProbeAsk
    {
        public Task<ProbeResult> AskAsync(TimeSpan timeout, CancellationToken cancellation) => Task.FromResult(next());
    }
}
