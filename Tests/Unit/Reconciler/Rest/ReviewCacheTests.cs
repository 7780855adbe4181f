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

        var all = Enumerable.Range(0, 100).Select(_ => cache.GetAsync("same", Ask, CancellationToken.None)).ToList();
        answer.SetResult(new Judgement<int>(7, Life));
        (await Task.WhenAll(all)).ShouldAllBe(value => value == 7);
        _asked.ShouldBe(1);
    }

    [Fact]
    public async Task A_failure_is_told_to_whoever_waits_and_not_kept()
    {
        using var cache = new ReviewCache<string, int>(_time, 100);
        await Should.ThrowAsync<IOException>(() => cache.GetAsync("same", _ => throw new IOException("away"), CancellationToken.None));
        (await Get(cache)).ShouldBe(1);
    }

    [Fact]
    public async Task Whoever_goes_away_does_not_end_the_question_of_the_others()
    {
        using var cache = new ReviewCache<string, int>(_time, 100);
        var answer = new TaskCompletionSource<Judgement<int>>();
        using var gone = new CancellationTokenSource();
        var first = cache.GetAsync("same", _ => answer.Task, gone.Token);
        var second = cache.GetAsync("same", _ => answer.Task, CancellationToken.None);
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
            (await cache.GetAsync(key, _ => Task.FromResult(new Judgement<int>(asked, Life)), CancellationToken.None)).ShouldBe(key);
        }

        cache.Count.ShouldBeLessThanOrEqualTo(100);
    }

    private Task<int> Get(ReviewCache<string, int> cache) =>
        cache.GetAsync("same", _ => Task.FromResult(new Judgement<int>(++_asked, Life)), CancellationToken.None);
}
