using Enclaves.Reconciler.Leadership;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Leadership;

/// <summary>A lease of 15 s, renewed each 2 s, given up after 10 s; a standby looks each second.</summary>
public sealed class LeaderElectorTests : IAsyncLifetime
{
    private const string Long = "2020-01-01T00:00:00.000000Z";
    private static readonly LeaseSettings Settings = new() { Namespace = "system", Name = "reconciler", Identity = "me" };

    private readonly TestClock _clock = new();
    private readonly LeaseServer _server = new();
    private readonly WriteFence _fence;
    private readonly LeaderElector _elector;

    public LeaderElectorTests()
    {
        _fence = new WriteFence(_clock);
        _elector = new LeaderElector(_server.Client(), _fence, Settings, _clock, NullLogger<LeaderElector>.Instance);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _server.Before = (_, _) => Task.CompletedTask;
        if (_elector.ExecuteTask is { IsFaulted: false })
            await _elector.StopAsync(CancellationToken.None);
        _elector.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task Nothing_is_written_before_the_election()
    {
        _server.Hold("other", Long);
        await Start();
        await _clock.Waits(Settings.Retry);
        _fence.IsOpen.ShouldBeFalse();
        _elector.Elected.IsCompleted.ShouldBeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lease_that_nobody_holds_is_taken_at_once(bool exists)
    {
        if (exists)
            _server.Hold("", Long, seconds: 1);
        await Lead();
        _fence.IsOpen.ShouldBeTrue();
        _server.Holder.ShouldBe("me");
        ((int?)_server.Lease!["spec"]!["leaseDurationSeconds"]).ShouldBe(15);
    }

    [Fact]
    public async Task A_lease_of_anothers_is_taken_when_it_was_seen_unchanged_for_its_duration_whatever_its_clock_says()
    {
        _server.Hold("other", Long);
        await Start();
        await StandBy(15);
        await Elected();
        _server.Holder.ShouldBe("me");
        ((int?)_server.Lease!["spec"]!["leaseTransitions"]).ShouldBe(1);
    }

    [Fact]
    public async Task A_holder_that_stutters_keeps_it()
    {
        _server.Hold("other", "1");
        await Start();
        await StandBy(14);
        _server.Hold("other", "2");
        // Seen with the next look, and new from then on.
        await StandBy(15);
        _server.Holder.ShouldBe("other");
        await StandBy(1);
        await Elected();
    }

    [Fact]
    public async Task Of_two_that_want_it_the_slower_one_goes_on_standing_by()
    {
        var first = true;
        _server.Before = (method, _) =>
        {
            if (method == HttpMethod.Post && first)
                _server.Hold("quicker", Long);
            first &= method != HttpMethod.Post;
            return Task.CompletedTask;
        };
        await Start();
        await _clock.Waits(Settings.Retry);
        _server.Holder.ShouldBe("quicker");
        _fence.IsOpen.ShouldBeFalse();
    }

    [Fact]
    public async Task A_leader_that_cannot_renew_gives_up_before_the_lease_is_past()
    {
        await Lead();
        _server.Before = (_, _) => throw new HttpRequestException("connection refused");
        for (var second = 2; second < 10; second += 2)
            await Renew();
        _fence.IsOpen.ShouldBeTrue();
        await Renew();
        (await Lost()).ShouldContain("10 s");
    }

    [Fact]
    public async Task A_server_that_does_not_answer_cannot_hold_a_leader_beyond_its_deadline()
    {
        await Lead();
        _server.Before = (_, cancellation) => Task.Delay(Timeout.Infinite, cancellation);
        await Renew();
        await _clock.Waits(TimeSpan.FromSeconds(8));
        _clock.Advance(TimeSpan.FromSeconds(8));
        await Renew();
        await Lost();
    }

    [Fact]
    public async Task A_renewal_whose_reply_was_lost_is_recognised_as_its_own()
    {
        await Lead();
        _server.After = method => method == HttpMethod.Put ? throw new HttpRequestException("connection reset") : Task.CompletedTask;
        await Renew();
        await _clock.Waits(Settings.RenewInterval);
        _server.After = _ => Task.CompletedTask;
        _clock.Advance(Settings.RenewInterval);
        // The same attempt finds its own name and renews: the fence counts from there, 4 s after the election.
        await _clock.Waits(Settings.RenewInterval);
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        _elector.ExecuteTask!.IsCompleted.ShouldBeFalse();
        _fence.IsOpen.ShouldBeTrue();
        _server.Holder.ShouldBe("me");
    }

    [Fact]
    public async Task A_leader_whose_lease_another_has_taken_stops_at_once()
    {
        await Lead();
        _server.Hold("other", Long);
        await Renew();
        (await Lost()).ShouldContain("other holds it");
        _server.Holder.ShouldBe("other");
    }

    [Fact]
    public async Task A_leader_whose_lease_was_deleted_stops_at_once()
    {
        await Lead();
        _server.Delete();
        await Renew();
        (await Lost()).ShouldContain("deleted");
        _server.Lease.ShouldBeNull();
    }

    [Fact]
    public async Task A_process_that_was_frozen_past_its_lease_wakes_up_behind_a_closed_fence_and_asks_for_nothing()
    {
        await Lead();
        await _clock.Waits(Settings.RenewInterval);
        var requests = _server.Requests;
        _clock.Advance(Settings.Duration);
        _fence.IsOpen.ShouldBeFalse();
        await Lost();
        _server.Requests.ShouldBe(requests);
    }

    [Fact]
    public async Task A_reply_that_comes_after_the_lease_is_past_does_not_open_the_fence_again()
    {
        await Lead();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thaw = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Before = (_, _) =>
        {
            asked.TrySetResult();
            return thaw.Task;
        };
        await Renew();
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        _clock.Advance(TimeSpan.FromSeconds(20));
        thaw.SetResult();
        await _clock.Waits(Settings.RenewInterval);
        _fence.IsOpen.ShouldBeFalse();
    }

    [Fact]
    public async Task A_leader_that_is_stopped_gives_the_lease_away_behind_a_closed_fence()
    {
        await Lead();
        await _elector.StopAsync(TestContext.Current.CancellationToken);
        _fence.IsOpen.ShouldBeFalse();
        _server.Holder.ShouldBe("");
        ((int?)_server.Lease!["spec"]!["leaseDurationSeconds"]).ShouldBe(1);
    }

    [Fact]
    public async Task A_renewal_that_the_stop_has_cut_off_does_not_keep_the_lease_from_being_given_away()
    {
        await Lead();
        var renewed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.After = async method =>
        {
            if (method != HttpMethod.Put || !renewed.TrySetResult())
                return;
            // Carried out, and the reply never comes.
            await Task.Delay(TimeSpan.FromMilliseconds(200));
            throw new HttpRequestException("cut off");
        };
        await Renew();
        await renewed.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await _elector.StopAsync(TestContext.Current.CancellationToken);
        _server.Holder.ShouldBe("");
    }

    [Fact]
    public async Task A_standby_that_is_stopped_leaves_the_lease_alone()
    {
        _server.Hold("other", Long);
        await Start();
        await _clock.Waits(Settings.Retry);
        await _elector.StopAsync(TestContext.Current.CancellationToken);
        _server.Holder.ShouldBe("other");
        ((string?)_server.Lease!["metadata"]!["resourceVersion"]).ShouldBe("1");
    }

    private Task Start() => _elector.StartAsync(TestContext.Current.CancellationToken);

    private async Task Lead()
    {
        await Start();
        await Elected();
    }

    private Task Elected() => _elector.Elected.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

    // Each second the standby looks, and is not elected by it before the last one is over.
    private async Task StandBy(int seconds)
    {
        for (var second = 0; second < seconds; second++)
        {
            await _clock.Waits(Settings.Retry);
            _elector.Elected.IsCompleted.ShouldBeFalse();
            _clock.Advance(Settings.Retry);
        }
    }

    private async Task Renew()
    {
        await _clock.Waits(Settings.RenewInterval);
        _clock.Advance(Settings.RenewInterval);
    }

    private async Task<string> Lost()
    {
        var lost = await _elector.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken).ShouldThrowAsync<NotLeaderException>();
        _fence.IsOpen.ShouldBeFalse();
        return lost.Message;
    }
}
