using System.Buffers;
using System.ComponentModel;
using System.Net.ServerSentEvents;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Serving;
using Enclaves.Reconciler.Rest.Streaming;
using Microsoft.AspNetCore.Mvc;

namespace Enclaves.Reconciler.Rest.Endpoints;

/// <summary>/watch: changes as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).</summary>
internal static class StreamEndpoints
{
    /// <summary>Adds the route.</summary>
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/watch", WatchAsync).IsLong(LongRequest.Stream).Produces<string>(StatusCodes.Status200OK, "text/event-stream").Answers("watch",
            "Every change of a NitroEnclaveDeployment that the caller may watch, as server-sent events: put (as in a list), delete ({namespace, name}), "
            + "reset (forget what you know: all there is follows as put, and then synced), ping. A client that comes back with Last-Event-ID goes on where it was.", 403, 422);

    private static async Task<IResult> WatchAsync(
        HttpContext context, NedViews neds, NedFeed feed, TokenReviews tokens, AccessReviews reviews, TimeProvider time, IHostApplicationLifetime lifetime,
        [Description("Only of this namespace; absent for all that the caller may watch.")] string? @namespace = null,
        [Description("Only those with these labels.")] string? labelSelector = null,
        [Description("The id of the last event that the client has.")] [FromHeader(Name = "Last-Event-ID")] string? lastEventId = null)
    {
        var (selector, problem) = LabelSelector.Parse(labelSelector ?? "");
        if (selector is null)
            return Problems.Invalid("labelSelector", problem!);
        async Task<Visibility?> Rights(CancellationToken cancellation)
        {
            if (await tokens.WhoAsync(context.Recognised().Token, cancellation) is not { } caller)
                return null;
            var visible = @namespace is null
                ? await Visibility.OfAsync(reviews, caller, "watch", neds, cancellation)
                : await Visibility.OfAsync(reviews, caller, "watch", @namespace, cancellation);
            return visible.IsNone ? null : visible;
        }

        if (await Rights(context.RequestAborted) is null)
            return Problems.Forbidden(context.Caller(), Access.ToNeds("watch", @namespace ?? ""));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.Response.ContentType = "text/event-stream";
        // Proxies that gather answers would hold events back.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        var events = new NedStream(feed, neds, selector, time).ReadAsync(FeedPlace.Parse(lastEventId), Rights, end.Token);
        try
        {
            await SseFormatter.WriteAsync(events, context.Response.Body, (item, writer) => writer.Write(item.Data.Span), end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The reader has gone, or this process stops; the reader comes back with the id of its last event.
        }

        return Results.Empty;
    }
}
