using System.Threading.Channels;
using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Lifecycle;
using Enclaves.EnclaveHost.Session;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Pipe = System.Threading.Channels.Channel;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class HealthMonitorTests : IAsyncDisposable
{
    private static readonly HealthReply Well = new() { Healthy = true };
    private static readonly HealthReply Ill = new() { Healthy = false, Reason = "ContainerNotReady", Message = "hello waits" };

    private readonly FakeTimeProvider _time = new();
    private readonly EnclaveStateMachine _state;
    private readonly EnclaveView _view = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Channel<TaskCompletionSource<HealthReply>> _asked = Pipe.CreateUnbounded<TaskCompletionSource<HealthReply>>();
    private readonly HealthMonitor _monitor;
    private readonly Task _running;

    public HealthMonitorTests()
    {
        _state = new EnclaveStateMachine(_time, NullLogger<EnclaveStateMachine>.Instance);
        foreach (var state in (EnclaveState[])[EnclaveState.Booting, EnclaveState.Booted, EnclaveState.ManifestSynced])
            _state.TryMove(state, "Start");
        _monitor = new HealthMonitor(_state, _view, TimeSpan.FromSeconds(1), 3, _time);
        _running = Task.Run(() => _monitor.RunAsync(AskAsync, _ending.Token));
    }

    [Fact]
    public async Task One_good_answer_makes_it_running()
    {
        await Checks(Well);
        await Told(EnclaveState.Running);
    }

    [Fact]
    public async Task Silence_makes_it_unhealthy_at_the_third_check_and_not_before()
    {
        await Checks(Well, null, null);
        await Told(EnclaveState.Running);
        await Checks([null]);
        await Told(EnclaveState.Unhealthy);
        _state.Last.Reason.ShouldBe("NoAnswer");
    }

    [Fact]
    public async Task An_answer_in_between_starts_the_count_anew()
    {
        await Checks(Well, null, null, Well, null, null);
        await Told(EnclaveState.Running);
    }

    [Fact]
    public async Task The_answer_not_healthy_counts_at_once_with_its_reason()
    {
        await Checks(Well, Ill);
        await Told(EnclaveState.Unhealthy);
        _state.Last.Reason.ShouldBe("ContainerNotReady");
        _view.Health!.Message.ShouldBe("hello waits");
    }

    [Fact]
    public async Task One_success_turns_it_back()
    {
        await Checks(Well, Ill, null, null, Well);
        await Told(EnclaveState.Running);
    }

    [Fact]
    public async Task Containers_that_are_still_starting_do_not_make_it_unhealthy()
    {
        await Checks(Ill, Ill, Ill, Ill);
        _state.State.ShouldBe(EnclaveState.ManifestSynced);
    }

    [Fact]
    public async Task Misses_while_this_process_was_late_do_not_count()
    {
        await Checks(Well);
        for (var i = 0; i < 10; i++)
            await Check(null, Paused);
        await Told(EnclaveState.Running);
    }

    [Fact]
    public async Task A_process_that_is_always_late_does_not_excuse_an_enclave_for_ever()
    {
        await Checks(Well);
        for (var i = 0; i < 12; i++)
            await Check(null, Paused);
        await Told(EnclaveState.Running);
        await Check(null, Paused);
        await Told(EnclaveState.Unhealthy);
    }

    [Fact]
    public async Task A_limit_that_has_passed_in_good_order_is_no_delay()
    {
        await Checks(Well);
        for (var i = 0; i < 3; i++)
            await Check(null, Passes);
        await Told(EnclaveState.Unhealthy);
    }

    [Fact]
    public async Task News_are_followed_by_a_check_at_once()
    {
        // The clock stands still: nothing but the news makes a second check.
        var first = await Asked();
        first.SetResult(Ill);
        _monitor.CheckSoon();
        var second = await Asked();
        // What comes while a check is under way may not be in its answer.
        _monitor.CheckSoon();
        second.SetResult(Ill);
        (await Asked()).SetResult(Well);
        await Told(EnclaveState.Running);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private Task<HealthReply> AskAsync(TimeSpan limit, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<HealthReply>();
        cancellation.Register(() => answer.TrySetCanceled(cancellation));
        _asked.Writer.TryWrite(answer);
        return answer.Task;
    }

    private async Task Checks(params HealthReply?[] answers)
    {
        foreach (var answer in answers)
            await Check(answer);
    }

    // Answers the next check, after what happens meanwhile; null is silence. The answer has been noted on return, unless it is excused.
    private async Task Check(HealthReply? answer, Action? meanwhile = null)
    {
        if (!_asked.Reader.TryRead(out var asked))
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            asked = await Asked();
        }

        meanwhile?.Invoke();
        var before = _view.Health;
        if (answer is null)
            asked.SetException(new RpcException(new Status(StatusCode.DeadlineExceeded, "silence")));
        else
            asked.SetResult(answer);
        // An excused silence changes nothing that could be waited for.
        for (var limit = DateTime.UtcNow + TimeSpan.FromSeconds(10); meanwhile != Paused && ReferenceEquals(_view.Health, before); await Task.Delay(1))
            DateTime.UtcNow.ShouldBeLessThan(limit);
    }

    private async Task<TaskCompletionSource<HealthReply>> Asked() =>
        await _asked.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(10));

    private async Task Told(EnclaveState expected)
    {
        var limit = DateTime.UtcNow + TimeSpan.FromSeconds(10);
        for (; _state.State != expected; await Task.Delay(5))
            DateTime.UtcNow.ShouldBeLessThan(limit);
    }

    private void Paused() => _time.Advance(TimeSpan.FromSeconds(3));

    private void Passes()
    {
        for (var i = 0; i < 10; i++)
            _time.Advance(TimeSpan.FromMilliseconds(100));
    }
}
