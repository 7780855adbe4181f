using Enclaves.Reconciler.Rest.Auth;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class ReviewCacheTests
{
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private int _asked;

    [Fact]
    public async Task An_answer_holds_for_its_life()
    {
        using var cache = new ReviewCache<string, int>(_time, 100);
        (await Get(cache)).ShouldBe(1);
        _time.Advance(Life - TimeSpan.FromMilliseconds(1));
        (await Get(cache)).ShouldBe(1);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        (await Get(cache)).ShouldBe(2);
    }

    [Fact]
    public async Task All_who_ask_the_same_meanwhile_get_one_answer()
    {
        using var cache = new ReviewCache<string, int>(_time, 100);
        var answer = new TaskCompletionSource<Judgement<int>>();
        Task<Judgement<int>> Ask(CancellationToken _)
        {
            Interlocked.Increment(ref _asked);
            return answer.Task;
        }

        var all = Enumerable.Range(0, 100).Select(_ => cache.GetAsync("same", "me", Ask, CancellationToken.None)).ToList();
        answer.SetResult(new Judgement<int>(7, Life));
        (await Task.WhenAll(all)).ShouldAllBe(value => value == 7);
        _asked.ShouldBe(1);
    }

    [Fact]
    public async Task A_failure_is_told_to_whoever_waits_and_not_kept()
    {
        using var cache = new ReviewCache<string, int>(_time, 100);
        await Should.ThrowAsync<IOException>(() => cache.GetAsync("same", "me", _ => throw new IOException("away"), CancellationToken.None));
        (await Get(cache)).ShouldBe(1);
    }

    [Fact]
    public async Task Whoever_goes_away_does_not_end_the_question_of_the_others()
    {
        using var cache = new ReviewCache<string, int>(_time, 100);
        var answer = new TaskCompletionSource<Judgement<int>>();
        using var gone = new CancellationTokenSource();
        var first = cache.GetAsync("same", "me", _ => answer.Task, gone.Token);
        var second = cache.GetAsync("same", "me", _ => answer.Task, CancellationToken.None);
        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => first);
        answer.SetResult(new Judgement<int>(3, Life));
        (await second).ShouldBe(3);
    }

    [Fact]
    public async Task It_never_holds_more_than_it_may()
    {
        using var cache = new ReviewCache<int, int>(_time, 100);
        for (var key = 0; key < 1000; key++)
        {
            var asked = key;
            (await cache.GetAsync(key, "me", _ => Task.FromResult(new Judgement<int>(asked, Life)), CancellationToken.None)).ShouldBe(key);
        }

        cache.Count.ShouldBeLessThanOrEqualTo(100);
    }

    [Fact]
    public async Task The_oldest_make_room_for_new_ones()
    {
        using var cache = new ReviewCache<int, int>(_time, 100);
        for (var key = 0; key <= 100; key++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Get(cache, key);
        }

        _asked = 0;
        for (var key = 100; key > 20; key--)
            await Get(cache, key);
        _asked.ShouldBe(0);
        await Get(cache, 0);
        _asked.ShouldBe(1);
    }

    [Fact]
    public async Task Nobody_holds_up_the_questions_of_others_and_has_more_than_so_many_waiting()
    {
        using var cache = new ReviewCache<int, int>(_time, 10_000);
        var answer = new TaskCompletionSource<Judgement<int>>();
        Task<int> Held(int key) => cache.GetAsync(key, "flood", _ =>
        {
            Interlocked.Increment(ref _asked);
            return answer.Task;
        }, CancellationToken.None);

        var flood = Enumerable.Range(0, 2000).Select(Held).ToList();
        _asked.ShouldBe(8);
        (await cache.GetAsync(5000, "me", _ => Task.FromResult(new Judgement<int>(7, Life)), CancellationToken.None)).ShouldBe(7);
        var refused = await Should.ThrowAsync<TooManyQuestionsException>(() => flood[^1]);
        refused.Message.ShouldContain("flood");
        answer.SetResult(new Judgement<int>(1, Life));
        (await Task.WhenAll(flood.Take(1000))).ShouldAllBe(value => value == 1);
    }

    [Fact]
    public async Task The_time_that_an_answer_may_take_begins_when_it_is_asked_for()
    {
        using var cache = new ReviewCache<int, int>(_time, 100);
        var first = new TaskCompletionSource<Judgement<int>>();
        var busy = Enumerable.Range(0, 8).Select(key => cache.GetAsync(key, "me", _ => first.Task, CancellationToken.None)).ToList();
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource<Judgement<int>>();
        var last = cache.GetAsync(8, "me", limit =>
        {
            asked.SetResult();
            return answer.Task.WaitAsync(limit);
        }, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(9));
        first.SetResult(new Judgement<int>(1, Life));
        await Task.WhenAll(busy);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(9));
        answer.SetResult(new Judgement<int>(2, Life));
        (await last).ShouldBe(2);
    }

    [Fact]
    public async Task A_question_that_finds_no_room_in_time_ends()
    {
        using var cache = new ReviewCache<int, int>(_time, 100);
        var never = new TaskCompletionSource<Judgement<int>>();
        var all = Enumerable.Range(0, 9).Select(key => cache.GetAsync(key, "me", _ => never.Task, CancellationToken.None)).ToList();
        _time.Advance(TimeSpan.FromSeconds(31));
        await Should.ThrowAsync<TimeoutException>(() => all[8]);
        never.SetResult(new Judgement<int>(1, Life));
    }

    private Task<int> Get<TKey>(ReviewCache<TKey, int> cache, TKey key)
        where TKey : notnull =>
        cache.GetAsync(key, "me", _ => Task.FromResult(new Judgement<int>(++_asked, Life)), CancellationToken.None);

    private Task<int> Get(ReviewCache<string, int> cache) =>
        cache.GetAsync("same", "me", _ => Task.FromResult(new Judgement<int>(++_asked, Life)), CancellationToken.None);
}
