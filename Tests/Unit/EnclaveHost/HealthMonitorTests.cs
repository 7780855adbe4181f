using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Lifecycle;
using Enclaves.EnclaveHost.Session;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
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
    private readonly SemaphoreSlim _asked = new(0);
    private readonly System.Threading.Channels.Channel<HealthReply?> _answers = System.Threading.Channels.Channel.CreateUnbounded<HealthReply?>();
    private readonly HealthMonitor _monitor;
    private readonly Task _running;

    public HealthMonitorTests()
    {
        _state = new EnclaveStateMachine(_time, NullLogger<EnclaveStateMachine>.Instance);
        foreach (var state in (EnclaveState[])[EnclaveState.Booting, EnclaveState.Booted, EnclaveState.ManifestSynced])
            _state.TryMove(state, "Start");
        _monitor = new HealthMonitor(_state, _view, TimeSpan.FromSeconds(1), 3, _time);
        _running = _monitor.RunAsync(AnswerAsync, _ending.Token);
    }

    [Fact]
    public async Task One_good_answer_makes_it_running()
    {
        await Checks(Well);
        _state.State.ShouldBe(EnclaveState.Running);
    }

    [Fact]
    public async Task Silence_makes_it_unhealthy_at_the_third_check_and_not_before()
    {
        await Checks(Well, null, null);
        _state.State.ShouldBe(EnclaveState.Running);
        await Checks([null]);
        _state.State.ShouldBe(EnclaveState.Unhealthy);
        _state.Last.Reason.ShouldBe("NoAnswer");
    }

    [Fact]
    public async Task An_answer_in_between_starts_the_count_anew()
    {
        await Checks(Well, null, null, Well, null, null);
        _state.State.ShouldBe(EnclaveState.Running);
    }

    [Fact]
    public async Task The_answer_not_healthy_counts_at_once_with_its_reason()
    {
        await Checks(Well, Ill);
        _state.State.ShouldBe(EnclaveState.Unhealthy);
        _state.Last.Reason.ShouldBe("ContainerNotReady");
        _view.Health!.Message.ShouldBe("hello waits");
    }

    [Fact]
    public async Task One_success_turns_it_back()
    {
        await Checks(Well, Ill, null, null, Well);
        _state.State.ShouldBe(EnclaveState.Running);
    }

    [Fact]
    public async Task Containers_that_are_still_starting_do_not_make_it_unhealthy()
    {
        await Checks(Ill, Ill, Ill, Ill);
        _state.State.ShouldBe(EnclaveState.ManifestSynced);
    }

    [Fact]
    public async Task News_are_followed_by_a_check_at_once()
    {
        // The clock stands still: nothing but the news makes a second check.
        await _asked.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        _answers.Writer.TryWrite(Ill);
        _monitor.CheckSoon();
        (await _asked.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken)).ShouldBeTrue();
        // What comes while a check is under way may not be in its answer.
        _monitor.CheckSoon();
        _answers.Writer.TryWrite(Ill);
        (await _asked.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken)).ShouldBeTrue();
        _answers.Writer.TryWrite(Well);
        await Eventually(() => _state.State == EnclaveState.Running);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
        _asked.Dispose();
    }

    private async Task<HealthReply> AnswerAsync(TimeSpan limit, CancellationToken cancellation)
    {
        _asked.Release();
        return await _answers.Reader.ReadAsync(cancellation) ?? throw new RpcException(new Status(StatusCode.DeadlineExceeded, "silence"));
    }

    // Each answer is given to one check; it has been judged when the next check asks, for which the time has to move on.
    private async Task Checks(params HealthReply?[] answers)
    {
        foreach (var answer in answers)
        {
            await Asked();
            _answers.Writer.TryWrite(answer);
            await Asked();
            _asked.Release();
        }
    }

    private static async Task Eventually(Func<bool> holds)
    {
        var limit = DateTime.UtcNow + TimeSpan.FromSeconds(10);
        while (!holds())
        {
            DateTime.UtcNow.ShouldBeLessThan(limit);
            await Task.Delay(5);
        }
    }

    private async Task Asked()
    {
        var limit = DateTime.UtcNow + TimeSpan.FromSeconds(10);
        while (!await _asked.WaitAsync(10))
        {
            DateTime.UtcNow.ShouldBeLessThan(limit, "the monitor does not ask");
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
