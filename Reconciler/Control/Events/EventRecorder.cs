namespace Enclaves.Reconciler.Control.Events;

/// <summary>
/// Tells of what happens to objects by Events, beside the work and never in its way: recording only takes a note in, and one loop writes.
/// What is told of one object is written in the order in which it happened. Similar notes share an Event (<see cref="EventStory"/>);
/// writes keep to a rate, overall and for each object. A write that fails is tried again for a while and then let go with a line in the
/// log. When the process is asked to stop, what can be written at once still is, within <see cref="FlushTime"/>.
/// </summary>
/// <remarks>
/// A queue of objects, not of Events: while an object's turn has not come, what happens to it again only counts up what waits. Bounded by
/// the number of objects that are remembered; when all of them have something that waits, a note about another one is dropped and counted.
/// </remarks>
internal sealed partial class EventRecorder(IEventSink sink, TimeProvider time, ILogger<EventRecorder> logger) : BackgroundService
{
    /// <summary>Objects whose story is remembered; about 1 KB each.</summary>
    public const int MaxObjects = 8192;

    /// <summary>How long a process that stops still writes.</summary>
    public static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(0.5);

    /// <summary>How long one write may take.</summary>
    public static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(10);

    /// <summary>For how long an Event is tried that cannot be written.</summary>
    public static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(1);

    // The kubelet's rate (eventRecordQPS and eventBurst).
    private const double WritesPerSecond = 50;
    private const int WritesAtOnce = 100;

    // Idle ones stand at the front of the queue by age, unless their writes fail.
    private const int LooksForRoom = 16;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<(string Uid, EventStory Story)>> _stories = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Uid, EventStory Story)> _byAge = [];
    private readonly WorkQueue<string> _queue = new(time, new BackOff(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(10)));
    private readonly TokenBucket _overall = new(time, WritesPerSecond, WritesAtOnce);
    private long _written;
    private long _lost;
    private long _dropped;

    /// <summary>Events written, each time an Event was.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Events that could not be written and were let go.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Notes for which there was no room.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Takes a note in, to be written soon. Never waits; safe from any thread.</summary>
    public void Record(EventNote note)
    {
        lock (_lock)
        {
            if (StoryOf(note.About.Uid) is not { } story)
            {
                Interlocked.Increment(ref _dropped);
                return;
            }

            var waited = story.Unwritten > 0;
            if (!story.Tell(note))
                Interlocked.Increment(ref _dropped);
            // One that waits already waits for its turn, its rate or its back-off, and keeps to it.
            else if (!waited)
                _queue.Add(note.About.Uid);
        }
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _queue.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var flushed = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var stopping = stoppingToken.Register(() => flushed.CancelAfter(FlushTime));
        try
        {
            while (!stoppingToken.IsCancellationRequested)
                await WriteNextAsync(await _queue.GetAsync(stoppingToken), stoppingToken, flushed.Token);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Nothing waited.
        }

        try
        {
            while (_queue.Length > 0)
                await WriteNextAsync(await _queue.GetAsync(flushed.Token), stoppingToken, flushed.Token);
        }
        catch (OperationCanceledException) when (flushed.IsCancellationRequested)
        {
            // The time is up.
        }

        lock (_lock)
        {
            if (_byAge.Sum(each => each.Story.Unwritten) is var left and > 0)
                LogLeft(logger, left);
        }
    }

    private async Task WriteNextAsync(string uid, CancellationToken stopping, CancellationToken cancellation)
    {
        try
        {
            while (Next(uid) is ({ } story, { } state) && await MayWriteAsync(uid, story, stopping) && await TryWriteAsync(uid, story, state, cancellation))
            {
                // The next of the same object.
            }
        }
        finally
        {
            _queue.Done(uid);
        }
    }

    private async Task<bool> MayWriteAsync(string uid, EventStory story, CancellationToken stopping)
    {
        // Another try of the same write has its token already.
        if (_queue.Failures(uid) == 0 && story.Writes.TryTake() is var pause && pause > TimeSpan.Zero)
        {
            _queue.AddAfter(uid, pause);
            return false;
        }

        // A process that stops has half a second for it, which is limit enough.
        for (var wait = _overall.TryTake(); wait > TimeSpan.Zero && !stopping.IsCancellationRequested; wait = _overall.TryTake())
            await Task.Delay(wait, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    }

    /// <returns>Whether this Event is done with, written or given up; else it is tried again later, and those after it wait.</returns>
    private async Task<bool> TryWriteAsync(string uid, EventStory story, EventState state, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(WriteTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            await sink.WriteAsync(state, either.Token);
            Interlocked.Increment(ref _written);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            var why = deadline.IsCancellationRequested ? $"no answer within {WriteTimeout.TotalSeconds} s" : failure.Message;
            if (IsWorthAnotherTry(failure) && FailingFor(story, state) < GiveUpAfter)
            {
                _queue.AddAfterFailure(uid, (failure as IRetryLater)?.RetryAfter);
                return false;
            }

            // The condition says the same, and nothing fails for an Event.
            Interlocked.Increment(ref _lost);
            LogLost(logger, state.What.About.Key, state.What.Reason, why);
        }

        _queue.Forget(uid);
        lock (_lock)
            story.Finish(state);
        return true;
    }

    private static bool IsWorthAnotherTry(Exception failure) => failure is EventNotWrittenException { IsTransient: true } or OperationCanceledException;

    private TimeSpan FailingFor(EventStory story, EventState state)
    {
        lock (_lock)
            return story.Failing(state);
    }

    private (EventStory Story, EventState State)? Next(string uid)
    {
        lock (_lock)
            return _stories.TryGetValue(uid, out var node) && node.Value.Story.Next() is { } state ? (node.Value.Story, state) : null;
    }

    // The story of an object, moved behind all that were told of before; null when there is no room for it.
    private EventStory? StoryOf(string uid)
    {
        if (_stories.TryGetValue(uid, out var node))
        {
            _byAge.Remove(node);
            _byAge.AddLast(node);
            return node.Value.Story;
        }

        while (_byAge.First is { } first && IsOver(first.Value.Story))
            Forget(first);
        if (_stories.Count >= MaxObjects)
        {
            if (_byAge.Take(LooksForRoom).FirstOrDefault(each => each.Story.Unwritten == 0) is not { Uid: { } oldest })
                return null;
            Forget(_stories[oldest]);
        }

        var story = new EventStory(time);
        _stories[uid] = _byAge.AddLast((uid, story));
        return story;
    }

    private bool IsOver(EventStory story) => story.Unwritten == 0 && time.GetUtcNow() - story.LastTold > EventStory.SameWithin;

    private void Forget(LinkedListNode<(string Uid, EventStory Story)> node)
    {
        _byAge.Remove(node);
        _stories.Remove(node.Value.Uid);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The event {Reason} about {Object} could not be written and is let go: {Failure}")]
    private static partial void LogLost(ILogger logger, ObjectKey @object, string reason, string failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} events were not written before the end of the process")]
    private static partial void LogLeft(ILogger logger, int count);
}
