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
        HttpContext context, NedViews neds, NedFeed feed, TokenReviews tokens, VisibleNeds rights, LongAnswers answers, TimeProvider time,
        [Description("Only of this namespace; absent for all that the caller may watch.")] string? @namespace = null,
        [Description("Only those with these labels.")] string? labelSelector = null,
        [Description("The id of the last event that the client has.")] [FromHeader(Name = "Last-Event-ID")] string? lastEventId = null)
    {
        var (selector, problem) = LabelSelector.Parse(labelSelector ?? "");
        if (selector is null)
            return Problems.Invalid("labelSelector", problem!);
        var (token, from, space) = (context.Recognised().Token, context.Connection.RemoteIpAddress, @namespace is { Length: > 0 } given ? given : null);
        async Task<Visibility?> Rights(Visibility? before, CancellationToken cancellation)
        {
            if (await tokens.WhoAsync(token, from, cancellation) is not { } caller)
                return null;
            return space is null ? await rights.OfAllAsync(caller, "watch", before, cancellation) : await rights.InAsync(caller, "watch", space, cancellation);
        }

        if (await Rights(null, context.RequestAborted) is not { } visible)
            return Problems.Forbidden(context.Caller(), Access.ToNeds("watch", space ?? ""));
        context.Response.ContentType = "text/event-stream";
        // Proxies that gather answers would hold events back.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        await answers.GiveAsync(
            context,
            async stopping =>
            {
                if (await Rights(visible, stopping) is not { } now)
                    return false;
                if (!now.IsSame(visible))
                    Volatile.Write(ref visible, now);
                return true;
            },
            stopping => SseFormatter.WriteAsync(
                new NedStream(feed, neds, selector, time).ReadAsync(lastEventId, () => Volatile.Read(ref visible), stopping),
                context.Response.Body, (item, writer) => writer.Write(item.Data.Span), stopping));
        return Results.Empty;
    }
}
