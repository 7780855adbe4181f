using Enclaves.Channel.Logs;
using Enclaves.EnclaveHost.Otlp;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class OtlpQueueTests
{
    private static readonly LogSource App = new("app", "stdout");

    [Fact]
    public void Beyond_its_bound_the_oldest_lines_go_and_the_next_batch_tells_how_many()
    {
        using var queue = new OtlpQueue(maxBytes: 10 * (OtlpQueue.LineOverhead + 2));
        for (var i = 10; i < 35; i++)
            queue.Add(Line(i));
        var (lines, before) = queue.Take(4, 1 << 20);
        (lines.Count, before, queue.Dropped).ShouldBe((4, 15, 15));
        queue.Take(100, 1 << 20).ShouldSatisfyAllConditions(batch => batch.Lines.Count.ShouldBe(6), batch => batch.DroppedBefore.ShouldBe(0));
    }

    [Fact]
    public void What_a_refused_batch_should_have_told_is_told_by_the_next_one()
    {
        using var queue = new OtlpQueue(maxBytes: 2 * (OtlpQueue.LineOverhead + 2));
        for (var i = 10; i < 15; i++)
            queue.Add(Line(i));
        var (lines, before) = queue.Take(100, 1 << 20);
        queue.Lose(lines.Count, untold: before);
        queue.Add(Line(20));
        queue.Take(100, 1 << 20).DroppedBefore.ShouldBe(5);
        queue.Dropped.ShouldBe(5);
    }

    [Fact]
    public async Task A_batch_is_bounded_and_the_rest_is_not_waited_for()
    {
        using var queue = new OtlpQueue(maxBytes: 1 << 20);
        for (var i = 10; i < 20; i++)
            queue.Add(Line(i));
        await queue.WaitAsync(TestContext.Current.CancellationToken);
        queue.Take(100, 3 * OtlpQueue.LineOverhead).Lines.Count.ShouldBe(3);
        await queue.WaitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        queue.Take(100, 1 << 20).Lines.Count.ShouldBe(7);
    }

    private static LogLine Line(int number) => new(DateTimeOffset.UnixEpoch, App, $"{number}");
}
