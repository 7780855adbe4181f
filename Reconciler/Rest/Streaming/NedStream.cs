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
/// An event without an id belongs to a reset that is not whole: whoever is cut off in between begins anew.
/// </remarks>
internal sealed class NedStream(NedFeed feed, NedViews views, LabelSelector selector, TimeProvider time)
{
    private const int Batch = 256;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    // With what the answers of the API server are kept for, well within a minute of a token's revocation.
    private static readonly TimeSpan RightsInterval = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(2);

    /// <summary>The events, until the caller may see nothing any more or goes away.</summary>
    /// <param name="from">Where to go on, or null.</param>
    /// <param name="rights">What the caller may see now, or null when it is nothing any more.</param>
    /// <param name="cancellation">Ends the stream.</param>
    public async IAsyncEnumerable<SseItem<ReadOnlyMemory<byte>>> ReadAsync(
        FeedPlace? from, Func<CancellationToken, Task<Visibility?>> rights, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (place, visible, checkedAt) = (from, await rights(cancellation), time.GetTimestamp());
        while (visible is not null)
        {
            if (place is not { } known || feed.Read(known, Batch) is not { } read)
            {
                // The place first: what changes while everything is given is given once more.
                place = feed.End;
                foreach (var item in Everything(visible, place.Value))
                    yield return item;
                continue;
            }

            foreach (var change in read.Changes)
            {
                if (EventOf(change, visible, new FeedPlace(known.Process, change.Number + 1)) is { } item)
                    yield return item;
            }

            place = read.Next;
            if (time.GetElapsedTime(checkedAt) >= RightsInterval)
            {
                (var before, visible, checkedAt) = (visible, await rights(cancellation), time.GetTimestamp());
                if (visible?.IsSame(before) == false)
                    place = null;
            }
            else if (!await IsMoreWithin(Heartbeat, read.Next, cancellation))
            {
                yield return Event("ping", "{}"u8.ToArray(), null);
            }
        }
    }

    private IEnumerable<SseItem<ReadOnlyMemory<byte>>> Everything(Visibility visible, FeedPlace place)
    {
        yield return Event("reset", "{}"u8.ToArray(), null);
        foreach (var view in views.Now.Neds.Where(view => Shows(view, visible)))
            yield return Event("put", view.Json, null);
        yield return Event("synced", "{}"u8.ToArray(), place);
    }

    private SseItem<ReadOnlyMemory<byte>>? EventOf(NedChange change, Visibility visible, FeedPlace next)
    {
        if (change.After is { } after && Shows(after, visible))
            return Event("put", after.Json, next);
        return change.Before is { } before && Shows(before, visible) ? Event("delete", Deleted(before.Key), next) : null;
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

    private static SseItem<ReadOnlyMemory<byte>> Event(string type, ReadOnlyMemory<byte> json, FeedPlace? place) =>
        new(json, type) { EventId = place?.ToString(), ReconnectionInterval = type == "reset" ? Reconnect : null };
}

/// <summary>A NED that is gone, or does not match the stream's selector any more.</summary>
internal sealed record DeletedNed(string Namespace, string Name);
