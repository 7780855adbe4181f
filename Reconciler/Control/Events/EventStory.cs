namespace Enclaves.Reconciler.Control.Events;

/// <summary>
/// What is told of one object, as Events that do not repeat themselves: the same note again counts up its Event instead of making a second
/// one, and of many notes with one reason that differ only in their words the later ones share an Event. Not safe for several threads.
/// </summary>
/// <remarks>The numbers are client-go's (tools/record, events_cache.go), but for the hour: that is how long an API server keeps an Event.</remarks>
internal sealed class EventStory(TimeProvider time)
{
    /// <summary>Notes of one type and reason that get an Event each.</summary>
    public const int SimilarApart = 10;

    /// <summary>In how much time.</summary>
    public static readonly TimeSpan SimilarWithin = TimeSpan.FromMinutes(10);

    /// <summary>How long after it was told last a note is still taken for the same one, and so how long it is remembered.</summary>
    public static readonly TimeSpan SameWithin = TimeSpan.FromHours(1);

    /// <summary>Writes about one object that may follow one another, and the pause that earns another one.</summary>
    public const int WritesAtOnce = 25;

    /// <inheritdoc cref="WritesAtOnce" />
    public static readonly TimeSpan WriteEach = TimeSpan.FromMinutes(5);

    private const int MaxSeries = 64;

    private readonly List<Series> _series = [];

    /// <summary>Is asked before each write.</summary>
    public TokenBucket Writes { get; } = new(time, 1 / WriteEach.TotalSeconds, WritesAtOnce);

    /// <summary>When something was told last.</summary>
    public DateTimeOffset LastTold { get; private set; }

    /// <summary>Events that are not yet written as they are.</summary>
    public int Unwritten => _series.Count(series => series.IsUnwritten);

    /// <summary>Takes a note in. False if there is no room for it: too many wait to be written.</summary>
    public bool Tell(EventNote note)
    {
        var now = time.GetUtcNow();
        _series.RemoveAll(series => !series.IsUnwritten && now - series.State.Last > SameWithin);
        var told = note with { Note = EventNote.Cut(note.Note) };
        var series = _series.Find(each => !each.IsCombined && each.State.What.Note == told.Note && IsAlike(each, note)) ?? Combined(note, now);
        if (series is null)
        {
            if (!MakeRoom())
                return false;
            _series.Add(series = new Series(told, now, isCombined: false));
        }

        series.Repeat(now);
        LastTold = now;
        return true;
    }

    /// <summary>
    /// The Event to write next, or null when all are written: new ones in the order in which they happened, then those that have only
    /// happened again.
    /// </summary>
    public EventState? Next() =>
        (_series.Find(series => series is { IsUnwritten: true, IsNew: true }) ?? _series.Find(series => series.IsUnwritten))?.State;

    /// <summary>Notes that an Event was written, or given up, as it was then. If it has happened again since, it is not done with.</summary>
    public void Finish(EventState state) => _series.Find(series => series.State.Name == state.Name)?.Finish(state.Count);

    /// <summary>For how long the writing of this Event has failed by now, counted from the first failure on.</summary>
    public TimeSpan Failing(EventState state) => _series.Find(series => series.State.Name == state.Name)?.Failing(time) ?? TimeSpan.Zero;

    private static bool IsAlike(Series series, EventNote note) => series.State.What.Type == note.Type && series.State.What.Reason == note.Reason;

    private Series? Combined(EventNote note, DateTimeOffset now)
    {
        if (_series.Count(each => !each.IsCombined && IsAlike(each, note) && now - each.State.First <= SimilarWithin) < SimilarApart)
            return null;
        var told = note with { Note = EventNote.Cut($"(combined from similar events): {note.Note}") };
        var combined = _series.Find(each => each.IsCombined && IsAlike(each, note));
        if (combined is not null)
            combined.Reword(told);
        else if (MakeRoom())
            _series.Add(combined = new Series(told, now, isCombined: true));
        return combined;
    }

    private bool MakeRoom()
    {
        if (_series.Count < MaxSeries)
            return true;
        var oldest = _series.FindIndex(series => !series.IsUnwritten);
        if (oldest >= 0)
            _series.RemoveAt(oldest);
        return oldest >= 0;
    }

    private sealed class Series(EventNote what, DateTimeOffset first, bool isCombined)
    {
        private int _finished;
        private long? _failingSince;

        // The time in the name: a reader that sorts by seconds or not at all still shows the story in order.
        public EventState State { get; private set; } = new(
            FormattableString.Invariant($"{what.About.Key.Name}.{first.UtcTicks:x}{Random.Shared.Next(0x1000):x3}"), what, 0, first, first);

        public bool IsCombined => isCombined;

        public bool IsNew => _finished == 0;

        public bool IsUnwritten => State.Count > _finished;

        public void Repeat(DateTimeOffset now) => State = State with { Count = State.Count + 1, Last = now };

        public void Reword(EventNote told) => State = State with { What = told };

        public void Finish(int count) => (_finished, _failingSince) = (Math.Max(_finished, count), null);

        public TimeSpan Failing(TimeProvider time) => time.GetElapsedTime(_failingSince ??= time.GetTimestamp());
    }
}
