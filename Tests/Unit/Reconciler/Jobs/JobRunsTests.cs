using Enclaves.Reconciler.Jobs;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Jobs;

public sealed class JobRunsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly JobRuns _runs;

    public JobRunsTests() => _runs = new JobRuns(_time);

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
    public async Task A_run_that_fails_is_remembered_with_the_last_one_that_did_not_and_may_be_run_again()
    {
        await _runs.RunAsync("sweep", () => Task.FromResult<object>("done"));
        var success = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromMinutes(1));
        await Should.ThrowAsync<IOException>(_runs.RunAsync("sweep", () => throw new IOException("away")));
        _runs.Last["sweep"].Failure.ShouldBe("away");
        _runs.Last["sweep"].LastSuccess.ShouldBe(success);
        (await _runs.RunAsync("sweep", () => Task.FromResult<object>("again"))).ShouldBe("again");
        _runs.Last["sweep"].Failure.ShouldBeNull();
    }
}
