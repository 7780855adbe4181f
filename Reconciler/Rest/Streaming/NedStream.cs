using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Serving;

namespace Enclaves.Reconciler.Rest.Streaming;

/// <summary>
/// The events of one stream: what the caller may see of all changes from a place on, or of everything there is when there is no such place.
/// </summary>
/// <remarks>
///     reset ── put … (all there is) ── synced ── put, delete … (changes) ──┐
///       ▲                                                                   │ the reader is too far behind, its rights have changed
///       └───────────────────────────────────────────────────────────────────┘
/// A reset takes the id away that the reader has, and only synced gives it a new one: whoever is cut off in between begins anew.
/// </remarks>
internal sealed class NedStream(NedFeed feed, NedViews views, LabelSelector selector, TimeProvider time)
{
    private const string Reset = "reset";
    private const int Batch = 256;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(2);

    /// <summary>The events, without an end.</summary>
    /// <param name="from">The id of the last event that the reader has, or null.</param>
    /// <param name="visible">What the reader may see: another object when that has changed.</param>
    /// <param name="cancellation">Ends the stream.</param>
    public async IAsyncEnumerable<SseItem<ReadOnlyMemory<byte>>> ReadAsync(
        string? from, Func<Visibility> visible, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var seen = visible();
        var shown = StreamPlace.ShownBy(seen, selector);
        var place = StreamPlace.Parse(from) is { } last && last.Shown == shown ? last.Feed : (FeedPlace?)null;
        while (true)
        {
            // The place first: what changes while everything is given is given once more.
            var read = place is { } known ? feed.Read(known, Batch) : null;
            var next = read?.Next ?? feed.End;
            foreach (var item in read is null ? Everything(seen, new StreamPlace(next, shown)) : Changes(read.Value.Changes, seen, new StreamPlace(next, shown)))
            {
                yield return item;
                // However slowly it reads, it is told no more of what it may not see any more.
                if (!ReferenceEquals(visible(), seen))
                    break;
            }

            place = next;
            if (read is not null && ReferenceEquals(visible(), seen) && !await IsMoreWithin(Heartbeat, next, cancellation))
                yield return Event("ping", "{}"u8.ToArray(), null);
            if (!ReferenceEquals(visible(), seen))
            {
                (seen, place) = (visible(), null);
                shown = StreamPlace.ShownBy(seen, selector);
            }
        }
    }

    private IEnumerable<SseItem<ReadOnlyMemory<byte>>> Everything(Visibility visible, StreamPlace place)
    {
        yield return Event(Reset, "{}"u8.ToArray(), null);
        foreach (var view in views.Now.Neds.Where(view => Shows(view, visible)))
            yield return Event("put", view.Json, null);
        yield return Event("synced", "{}"u8.ToArray(), place);
    }

    private IEnumerable<SseItem<ReadOnlyMemory<byte>>> Changes(IReadOnlyList<NedChange> changes, Visibility visible, StreamPlace end)
    {
        foreach (var change in changes)
        {
            var next = end with { Feed = end.Feed with { Number = change.Number + 1 } };
            if (change.After is { } after && Shows(after, visible))
                yield return Event("put", after.Json, next);
            else if (change.Before is { } before && Shows(before, visible))
                yield return Event("delete", Deleted(before.Key), next);
        }
    }

    private bool Shows(NedView view, Visibility visible) => visible.Includes(view.Key.Namespace) && selector.Matches(view.Labels);

    private async Task<bool> IsMoreWithin(TimeSpan limit, FeedPlace place, CancellationToken cancellation)
    {
        try
        {
            await feed.MoreAfter(place).WaitAsync(limit, time, cancellation);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static byte[] Deleted(ObjectKey key) => JsonSerializer.SerializeToUtf8Bytes(new DeletedNed(key.Namespace, key.Name), RestJson.Options);

    private static SseItem<ReadOnlyMemory<byte>> Event(string type, ReadOnlyMemory<byte> json, StreamPlace? place) =>
        new(json, type) { EventId = type == Reset ? "" : place?.ToString(), ReconnectionInterval = type == Reset ? Reconnect : null };
}

/// <summary>A NED that is gone, or does not match the stream's selector any more.</summary>
internal sealed record DeletedNed(string Namespace, string Name);
