using Enclaves.Reconciler.Control;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class WorkQueueTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly WorkQueue<string> _queue;

    public WorkQueueTests() =>
        _queue = new WorkQueue<string>(_time, new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), () => 1));

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task A_burst_for_one_key_is_one_item()
    {
        for (var i = 0; i < 100; i++)
            _queue.Add("a");
        _queue.Add("b");
        _queue.Length.ShouldBe(2);
        (await Get()).ShouldBe("a");
        (await Get()).ShouldBe("b");
        _queue.Length.ShouldBe(0);
    }

    [Fact]
    public async Task A_key_added_while_it_is_worked_waits_until_that_work_is_done()
    {
        _queue.Add("a");
        await Get();
        _queue.Add("a");
        _queue.Add("a");
        _queue.Length.ShouldBe(0);
        _queue.Done("a");
        _queue.Length.ShouldBe(1);
        (await Get()).ShouldBe("a");
        _queue.Done("a");
        _queue.Length.ShouldBe(0);
    }

    [Fact]
    public async Task Workers_never_hold_the_same_key_at_once_and_no_addition_is_lost()
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var held = new int[4];
        var looks = new int[4];
        var overlapped = false;
        using var queue = new WorkQueue<int>(TimeProvider.System, new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        var wanted = new int[4];
        async Task Work()
        {
            while (true)
            {
                var key = await queue.GetAsync(ended.Token);
                overlapped |= Interlocked.Increment(ref held[key]) != 1;
                Volatile.Write(ref looks[key], Volatile.Read(ref wanted[key]));
                await Task.Yield();
                Interlocked.Decrement(ref held[key]);
                queue.Done(key);
            }
        }

        var workers = Enumerable.Range(0, 4).Select(_ => Task.Run(Work)).ToList();
        for (var i = 0; i < 4000; i++)
        {
            Interlocked.Increment(ref wanted[i % 4]);
            queue.Add(i % 4);
        }

        SpinWait.SpinUntil(() => looks.SequenceEqual(wanted), TimeSpan.FromSeconds(20)).ShouldBeTrue();
        overlapped.ShouldBeFalse();
        await ended.CancelAsync();
        await Task.WhenAll(workers).ShouldThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task A_delayed_key_comes_when_its_time_has_come()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(4.9));
        _queue.Length.ShouldBe(0);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        (await Get()).ShouldBe("a");
    }

    [Fact]
    public void A_delayed_key_moves_earlier_and_never_later()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(5));
        _queue.AddAfter("a", TimeSpan.FromSeconds(9));
        _queue.AddAfter("a", TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(2));
        _queue.Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_look_at_once_takes_the_place_of_the_delayed_one()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(5));
        _queue.Add("a");
        await Get();
        _queue.Done("a");
        _time.Advance(TimeSpan.FromSeconds(10));
        _queue.Length.ShouldBe(0);
    }

    [Fact]
    public void Failures_of_a_key_double_its_delay_up_to_the_limit_and_a_success_resets_it()
    {
        double Fail(string key) => _queue.AddAfterFailure(key).TotalSeconds;
        new[] { Fail("a"), Fail("a"), Fail("a"), Fail("a"), Fail("a"), Fail("a") }.ShouldBe([1, 2, 4, 8, 10, 10]);
        Fail("b").ShouldBe(1);
        _queue.Forget("a");
        Fail("a").ShouldBe(1);
    }

    [Fact]
    public void Jitter_takes_away_at_most_half_of_a_delay()
    {
        var first = TimeSpan.FromSeconds(1);
        new BackOff(first, first, () => 0).Delay(0).ShouldBe(TimeSpan.FromSeconds(0.5));
        new BackOff(first, first, () => 1).Delay(1000).ShouldBe(first);
    }

    [Fact]
    public void After_the_end_nothing_is_added()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(1));
        _queue.Dispose();
        _time.Advance(TimeSpan.FromSeconds(2));
        _queue.Add("b");
        _queue.Length.ShouldBe(0);
    }

    private async Task<string> Get() =>
        await _queue.GetAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
}
