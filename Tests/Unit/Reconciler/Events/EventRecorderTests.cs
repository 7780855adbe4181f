using System.Globalization;
using Enclaves.Reconciler.Control.Events;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;
using static Enclaves.Tests.Unit.Reconciler.Events.FakeSink;

namespace Enclaves.Tests.Unit.Reconciler.Events;

public sealed class EventRecorderTests : IAsyncLifetime
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(500);

    private readonly TestClock _clock = new();
    private readonly FakeSink _sink = new();
    private readonly EventRecorder _recorder;

    public EventRecorderTests() => _recorder = new EventRecorder(_sink, _clock, NullLogger<EventRecorder>.Instance);

    public async ValueTask InitializeAsync() => await _recorder.StartAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        var stopped = _recorder.StopAsync(TestContext.Current.CancellationToken);
        _clock.Advance(EventRecorder.FlushTime);
        await stopped.WaitAsync(TimeSpan.FromSeconds(20));
        _recorder.Dispose();
    }

    [Fact]
    public async Task Nobody_waits_for_a_server_that_does_not_answer()
    {
        _sink.Before = Hang;
        _recorder.Record(Note());
        await _sink.NextTry();
        for (var i = 0; i < 1000; i++)
            _recorder.Record(Note());
        _recorder.Written.ShouldBe(0);
        // When it is given time again, one write tells of all of them.
        _sink.Before = (_, _) => Task.CompletedTask;
        await _clock.Waits(EventRecorder.WriteTimeout);
        _clock.Advance(EventRecorder.WriteTimeout);
        (await Retried()).Count.ShouldBe(1001);
        _sink.WasTried.ShouldBeFalse();
    }

    [Fact]
    public async Task What_is_told_of_one_object_is_written_in_order_also_when_a_write_fails()
    {
        _sink.Before = (_, _) => throw new EventNotWrittenException("overloaded", isTransient: true);
        _recorder.Record(Note("first"));
        (await _sink.NextTry()).What.Note.ShouldBe("first");
        _recorder.Record(Note("second"));
        _sink.Before = (_, _) => Task.CompletedTask;
        (await Retried()).What.Note.ShouldBe("first");
        (await _sink.NextTry()).What.Note.ShouldBe("second");
    }

    [Fact]
    public async Task An_object_whose_events_fail_does_not_hold_up_the_others()
    {
        _sink.Before = (state, _) => state.What.About.Key.Name == "bad" ? throw new EventNotWrittenException("no", isTransient: true) : Task.CompletedTask;
        _recorder.Record(Note(about: "bad"));
        await _sink.NextTry();
        _recorder.Record(Note(about: "good"));
        (await _sink.NextTry()).What.About.Key.Name.ShouldBe("good");
    }

    [Fact]
    public async Task What_is_refused_is_let_go_at_once()
    {
        _sink.Before = (state, _) => state.What.Note == "bad" ? throw new EventNotWrittenException("invalid", isTransient: false) : Task.CompletedTask;
        _recorder.Record(Note("bad"));
        _recorder.Record(Note("good"));
        await _sink.NextTry();
        (await _sink.NextTry()).What.Note.ShouldBe("good");
        _recorder.Lost.ShouldBe(1);
    }

    [Fact]
    public async Task What_fails_for_a_minute_is_let_go()
    {
        _sink.Before = (_, _) => throw new EventNotWrittenException("down", isTransient: true, EventRecorder.GiveUpAfter);
        _recorder.Record(Note());
        await _sink.NextTry();
        _recorder.Lost.ShouldBe(0);
        await _clock.Waits(EventRecorder.GiveUpAfter);
        _clock.Advance(EventRecorder.GiveUpAfter);
        await _sink.NextTry();
        _sink.Before = (_, _) => Task.CompletedTask;
        _recorder.Record(Note("later"));
        (await _sink.NextTry()).What.Note.ShouldBe("later");
        _recorder.Lost.ShouldBe(1);
    }

    [Fact]
    public async Task A_flapping_object_costs_a_few_writes_and_its_count_is_right_in_the_end()
    {
        var tries = 0;
        for (; tries < EventStory.WritesAtOnce; tries++)
        {
            _recorder.Record(Note());
            await _sink.NextTry();
            await WrittenIs(tries + 1);
        }

        for (var i = 0; i < 500; i++)
            _recorder.Record(Note());
        await _clock.Waits(EventStory.WriteEach);
        _sink.WasTried.ShouldBeFalse();
        _clock.Advance(EventStory.WriteEach);
        (await _sink.NextTry()).Count.ShouldBe(tries + 500);
        await WrittenIs(tries + 1);
        _sink.Written.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Events_of_many_objects_keep_to_a_rate()
    {
        for (var i = 0; i < 150; i++)
            _recorder.Record(Note(about: string.Create(CultureInfo.InvariantCulture, $"ned-{i}")));
        for (var i = 0; i < 100; i++)
            await _sink.NextTry();
        for (var i = 100; i < 150; i++)
        {
            await _clock.Waits(TimeSpan.FromMilliseconds(20));
            _sink.WasTried.ShouldBeFalse();
            _clock.Advance(TimeSpan.FromMilliseconds(20));
            await _sink.NextTry();
        }
    }

    [Fact]
    public async Task When_too_many_objects_have_something_that_waits_a_further_one_is_dropped_and_counted()
    {
        _sink.Before = Hang;
        for (var i = 0; i < EventRecorder.MaxObjects; i++)
            _recorder.Record(Note(about: string.Create(CultureInfo.InvariantCulture, $"ned-{i}")));
        await _sink.NextTry();
        _recorder.Dropped.ShouldBe(0);
        _recorder.Record(Note(about: "one-too-many"));
        _recorder.Dropped.ShouldBe(1);
    }

    [Fact]
    public async Task A_process_that_stops_writes_what_waits()
    {
        var gate = new TaskCompletionSource();
        _sink.Before = (_, cancellation) => gate.Task.WaitAsync(cancellation);
        _recorder.Record(Note(about: "a"));
        await _sink.NextTry();
        _recorder.Record(Note(about: "b"));
        _recorder.Record(Note(about: "c"));
        var stopped = _recorder.StopAsync(TestContext.Current.CancellationToken);
        gate.SetResult();
        await stopped.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        _recorder.Written.ShouldBe(3);
    }

    [Fact]
    public async Task A_process_that_stops_waits_for_a_bounded_time_only()
    {
        _sink.Before = Hang;
        _recorder.Record(Note());
        await _sink.NextTry();
        var stopped = _recorder.StopAsync(TestContext.Current.CancellationToken);
        _clock.Advance(EventRecorder.FlushTime - TimeSpan.FromMilliseconds(1));
        stopped.IsCompleted.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await stopped.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        _recorder.Written.ShouldBe(0);
    }

    private static Task Hang(EventState state, CancellationToken cancellation) => Task.Delay(Timeout.Infinite, cancellation);

    // The pause is between half of its step and the whole of it, at random.
    private async Task<EventState> Retried()
    {
        await Until(() =>
        {
            _clock.Advance(FirstRetry);
            return _sink.WasTried;
        });
        return await _sink.NextTry();
    }

    private Task WrittenIs(long count) => Until(() => _recorder.Written == count);

    private static async Task Until(Func<bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        while (!condition())
            await Task.Delay(5, limit.Token);
    }
}
