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
    public async Task A_change_overtakes_whatever_waits_at_low_priority()
    {
        _queue.Add("low 1", Priority.Low);
        _queue.Add("low 2", Priority.Low);
        _queue.Add("changed");
        (await Get(3)).ShouldBe(["changed", "low 1", "low 2"]);
    }

    [Fact]
    public async Task A_key_that_waits_at_low_priority_moves_up_and_never_down()
    {
        _queue.Add("low", Priority.Low);
        _queue.Add("a", Priority.Low);
        _queue.Add("a");
        _queue.Add("a", Priority.Low);
        _queue.Length.ShouldBe(2);
        (await Get(2)).ShouldBe(["a", "low"]);
        _queue.Length.ShouldBe(0);
    }

    [Fact]
    public async Task A_change_during_the_work_decides_how_soon_the_key_is_worked_again()
    {
        _queue.Add("a", Priority.Low);
        await Get();
        _queue.Add("a", Priority.Low);
        _queue.Add("a");
        _queue.Add("low", Priority.Low);
        _queue.Done("a");
        (await Get(2)).ShouldBe(["a", "low"]);
    }

    [Fact]
    public async Task Changes_without_end_do_not_keep_a_low_key_from_its_turn()
    {
        _queue.Add("low", Priority.Low);
        for (var i = 0; i < 100; i++)
            _queue.Add($"{i}");
        (await Get(WorkQueue<string>.NormalInARow + 2)).ShouldBe(
            [.. Enumerable.Range(0, WorkQueue<string>.NormalInARow).Select(i => $"{i}"), "low", $"{WorkQueue<string>.NormalInARow}"]);
    }

    [Fact]
    public async Task A_key_that_fails_comes_back_at_the_priority_it_was_worked_at()
    {
        _queue.Add("resynced", Priority.Low);
        await Get();
        _queue.AddAfterFailure("resynced");
        _queue.Done("resynced");
        _time.Advance(TimeSpan.FromSeconds(1));
        _queue.Add("changed");
        (await Get(2)).ShouldBe(["changed", "resynced"]);
    }

    [Fact]
    public async Task A_delayed_key_that_is_asked_for_twice_comes_at_the_earlier_time_and_the_higher_priority()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(5));
        _queue.Add("low", Priority.Low);
        _queue.Add("a", Priority.Low);
        (await Get(2)).ShouldBe(["a", "low"]);
        // The one that is worked was low, and what it asks for later stays behind the one that another has asked for sooner.
        _queue.AddAfter("low", TimeSpan.FromSeconds(1));
        _queue.Done("low");
        _queue.AddAfter("low", TimeSpan.FromSeconds(3));
        _queue.Add("other", Priority.Low);
        _time.Advance(TimeSpan.FromSeconds(1));
        (await Get(2)).ShouldBe(["low", "other"]);
    }

    [Fact]
    public void Retries_of_many_keys_share_a_rate_and_additions_do_not()
    {
        var second = TimeSpan.FromSeconds(1);
        using var queue = new WorkQueue<int>(_time, new BackOff(second, second, () => 1), new TokenBucket(_time, 10, 100));
        for (var key = 0; key < 100; key++)
            queue.AddAfterFailure(key).ShouldBe(second);
        // Ten more a second; the ones that are due before their own pause is over wait for that.
        Enumerable.Range(100, 30).Select(key => queue.AddAfterFailure(key).TotalSeconds).ShouldBe(
            Enumerable.Range(1, 30).Select(place => Math.Max(1, place / 10.0)));
        queue.Add(1000);
        queue.Length.ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(3));
        queue.Length.ShouldBe(131);
    }

    [Fact]
    public void A_retry_is_not_made_before_the_moment_that_the_server_has_named() =>
        _queue.AddAfterFailure("a", notBefore: TimeSpan.FromSeconds(7)).ShouldBe(TimeSpan.FromSeconds(7));

    [Fact]
    public void After_the_end_nothing_is_added()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(1));
        _queue.Dispose();
        _time.Advance(TimeSpan.FromSeconds(2));
        _queue.Add("b");
        _queue.Length.ShouldBe(0);
    }

    private async Task<IReadOnlyList<string>> Get(int count)
    {
        var keys = new List<string>();
        while (keys.Count < count)
            keys.Add(await Get());
        return keys;
    }

    private async Task<string> Get() =>
        await _queue.GetAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
}
