using Enclaves.Reconciler.Rest.Streaming;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class LongAnswersTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);

    private readonly TestClock _time = new();
    private readonly Lifetime _lifetime = new();
    private int _looks;

    public void Dispose() => _lifetime.Dispose();

    [Fact]
    public async Task A_reader_that_does_not_read_is_cut_off_with_its_rights()
    {
        var answer = Give(_ => Task.FromResult(++_looks < 2), Forever);
        await _time.Waits(Interval);
        _time.Advance(Interval);
        await RestHost.Until(() => _looks == 1);
        answer.IsCompleted.ShouldBeFalse();
        _time.Advance(Interval);
        await answer;
        _looks.ShouldBe(2);
    }

    [Fact]
    public async Task Whoever_cannot_be_asked_about_is_not_let_on()
    {
        var answer = Give(_ => throw new IOException("the API server is away"), Forever);
        await _time.Waits(Interval);
        _time.Advance(Interval);
        await answer;
    }

    [Fact]
    public async Task The_end_of_the_process_ends_it()
    {
        var answer = Give(_ => Task.FromResult(true), Forever);
        _lifetime.StopApplication();
        await answer;
    }

    [Fact]
    public async Task An_answer_that_is_whole_ends_the_look_and_a_failure_is_told()
    {
        await Give(_ => Task.FromResult(true), _ => Task.CompletedTask);
        await Should.ThrowAsync<InvalidDataException>(() => Give(_ => Task.FromResult(true), _ => throw new InvalidDataException("broken")));
        _looks.ShouldBe(0);
    }

    private Task Give(Func<CancellationToken, Task<bool>> mayStill, Func<CancellationToken, Task> give) =>
        new LongAnswers(_time, _lifetime).GiveAsync(new DefaultHttpContext(), mayStill, give).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

    private static Task Forever(CancellationToken cancellation) => Task.Delay(Timeout.Infinite, cancellation);

    private sealed class Lifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }
}
