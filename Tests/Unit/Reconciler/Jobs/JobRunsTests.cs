using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Jobs;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Jobs;

public sealed class JobRunsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly JobClock _clock;
    private readonly JobRuns _runs;

    public JobRunsTests()
    {
        _clock = new JobClock(_time);
        _runs = new JobRuns(_clock);
    }

    [Fact]
    public async Task A_run_beside_another_is_left_out_and_blocks_nobody()
    {
        var end = new TaskCompletionSource<object>();
        var first = _runs.RunAsync("sweep", () => end.Task);
        (await _runs.RunAsync("sweep", () => throw new InvalidOperationException("not to be run"))).ShouldBe(JobRuns.LeftOut);
        (await _runs.RunAsync("resync", () => Task.FromResult<object>("another job"))).ShouldBe("another job");
        end.SetResult("done");
        (await first).ShouldBe("done");
        (await _runs.RunAsync("sweep", () => Task.FromResult<object>("again"))).ShouldBe("again");
    }

    [Fact]
    public async Task A_run_that_fails_is_counted_beside_the_age_of_the_last_success_and_may_be_run_again()
    {
        await _runs.RunAsync("sweep", () => Task.FromResult<object>("done"));
        _time.Advance(TimeSpan.FromMinutes(1));
        await Should.ThrowAsync<IOException>(_runs.RunAsync("sweep", () => throw new IOException("away")));
        _clock.All.ShouldHaveSingleItem().ShouldBe(new JobTimes("sweep", TimeSpan.FromMinutes(1), 0, 1));
        (await _runs.RunAsync("sweep", () => Task.FromResult<object>("again"))).ShouldBe("again");
        _clock.All.ShouldHaveSingleItem().ShouldBe(new JobTimes("sweep", TimeSpan.Zero, 0, 1));
    }
}
