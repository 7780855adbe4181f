using Enclaves.Reconciler.Control;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class TokenBucketTests
{
    private readonly TestClock _clock = new();

    [Fact]
    public void A_burst_is_free_and_what_follows_keeps_to_the_rate()
    {
        var bucket = new TokenBucket(_clock, perSecond: 2, burst: 3);
        Enumerable.Range(0, 5).Select(_ => bucket.Reserve().TotalSeconds).ShouldBe([0, 0, 0, 0.5, 1]);
        _clock.Advance(TimeSpan.FromSeconds(1));
        bucket.Reserve().ShouldBe(TimeSpan.FromSeconds(0.5));
    }

    [Fact]
    public void Whoever_waits_as_long_as_told_gets_a_token()
    {
        var bucket = new TokenBucket(_clock, perSecond: 1 / 300d, burst: 1);
        bucket.TryTake().ShouldBe(TimeSpan.Zero);
        _clock.Advance(TimeSpan.FromSeconds(100));
        var wait = bucket.TryTake();
        wait.ShouldBe(TimeSpan.FromSeconds(200), TimeSpan.FromMilliseconds(1));
        _clock.Advance(wait);
        bucket.TryTake().ShouldBe(TimeSpan.Zero);
        bucket.TryTake().ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public void A_long_rest_fills_it_no_further_than_its_burst()
    {
        var bucket = new TokenBucket(_clock, perSecond: 100, burst: 2);
        _clock.Advance(TimeSpan.FromHours(1));
        Enumerable.Range(0, 3).Count(_ => bucket.TryTake() == TimeSpan.Zero).ShouldBe(2);
    }
}
