using System.Security.Cryptography;
using Enclaves.Reconciler.Rest.Reading;

namespace Enclaves.Reconciler.Rest.Streaming;

/// <summary>A change of a NED, with its number among all that this process has seen.</summary>
internal readonly record struct NedChange(long Number, NedView? Before, NedView? After);

/// <summary>A place between two changes. Each process counts for itself: a place of another process's count means nothing here.</summary>
internal readonly record struct FeedPlace(string Process, long Number);

/// <summary>
/// The last changes of NEDs, in order, for all streams at once: each has a place in it and no buffer of its own. Whoever falls so far behind that its
/// place is gone is told everything anew. Thread-safe.
/// </summary>
internal sealed class NedFeed
{
    private const int Most = 2048;

    private readonly Lock _lock = new();
    private readonly NedChange[] _ring = new NedChange[Most];
    private readonly string _process = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private TaskCompletionSource _more = NewSignal();
    private long _next = 1;

    public NedFeed(NedViews views) => views.Changed += Append;

    /// <summary>The place after the last change.</summary>
    public FeedPlace End
    {
        get
        {
            lock (_lock)
                return new FeedPlace(_process, _next);
        }
    }

    /// <summary>
    /// The changes from a place on, and the place after them; null when it is not in here: it is of another process, or too long ago.
    /// </summary>
    /// <param name="from">The place.</param>
    /// <param name="most">Most changes.</param>
    public (IReadOnlyList<NedChange> Changes, FeedPlace Next)? Read(FeedPlace from, int most)
    {
        lock (_lock)
        {
            if (from.Process != _process || from.Number > _next || from.Number < Math.Max(1, _next - Most))
                return null;
            var count = (int)Math.Min(_next - from.Number, most);
            var changes = new NedChange[count];
            for (var index = 0; index < count; index++)
                changes[index] = _ring[(from.Number + index) % Most];
            return (changes, new FeedPlace(_process, from.Number + count));
        }
    }

    /// <summary>Completes when there is a change after a place.</summary>
    public Task MoreAfter(FeedPlace place)
    {
        lock (_lock)
            return place.Process == _process && place.Number >= _next ? _more.Task : Task.CompletedTask;
    }

    private void Append(NedView? before, NedView? after)
    {
        TaskCompletionSource waiting;
        lock (_lock)
        {
            _ring[_next % Most] = new NedChange(_next, before, after);
            _next++;
            waiting = _more;
            _more = NewSignal();
        }

        waiting.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
