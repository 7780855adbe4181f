using System.Net;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Actions;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Serving;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Rest.Endpoints;

/// <summary>
/// What can be asked for: any replica writes an annotation on the NED, which the leader's job carries out. The right that it takes is the one to
/// write that annotation by hand.
/// </summary>
internal static class ActionEndpoints
{
    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost(NedEndpoints.One + "/reconcile", (string @namespace, string name, HttpContext context, ClusterStores stores, ApiServer server, TimeProvider time) =>
                AskAsync(NedActionKind.Reconcile, @namespace, name, context, stores, server, time))
            .RequireAccess(RouteAccess.ToNed("patch")).Produces<AcceptedAction>(StatusCodes.Status202Accepted)
            .Answers("reconcile", "Asks for a look at a NitroEnclaveDeployment now, however long a pause its failures have earned.", 403, 404, 409, 429);
        api.MapPost(NedEndpoints.One + "/restart", (string @namespace, string name, HttpContext context, ClusterStores stores, ApiServer server, TimeProvider time) =>
                AskAsync(NedActionKind.Restart, @namespace, name, context, stores, server, time))
            .RequireAccess(RouteAccess.ToNed("patch")).Produces<AcceptedAction>(StatusCodes.Status202Accepted)
            .Answers("restart", "Asks for new enclaves in the place of those that run, as the strategy of the NitroEnclaveDeployment says.", 403, 404, 409, 429);
    }

    private static async Task<IResult> AskAsync(
        NedActionKind kind, string space, string name, HttpContext context, ClusterStores stores, ApiServer server, TimeProvider time)
    {
        if (stores.Neds.Get(new ObjectKey(space, name)) is not { } ned)
            return NedEndpoints.NoNed(space, name);
        if (ned.IsBeingDeleted)
            return Problems.Of(StatusCodes.Status409Conflict, "Being deleted", $"NitroEnclaveDeployment {ned.Key} is being deleted; there is nothing to {kind.ToString().ToLowerInvariant()}.");
        if (stores.IsIgnored(space) == true)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "Left alone",
                $"The namespace {space} has the label {NedReconciler.IgnoreLabel}=true, so nothing in it is acted on; take the label away and ask again.");
        }

        if (NedAction.Of(ned).Count >= NedAction.MostWaiting)
            return Problems.TooMany(context, $"{NedAction.MostWaiting} actions already wait on NitroEnclaveDeployment {ned.Key}; they are carried out one after the other.");
        var action = NedAction.New(kind, time.GetUtcNow(), context.Caller().Name);
        try
        {
            await server.MergeAsync(NedKind.Resource, ned,
                new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [action.Annotation] = action.Write() } } }, context.RequestAborted);
        }
        catch (ApiException gone) when (gone.Code is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "Replaced or deleted", $"NitroEnclaveDeployment {ned.Key} was deleted meanwhile, or another one has its name; look again.");
        }
        catch (ApiException refused) when (!refused.IsTransient && refused.Code != HttpStatusCode.Unauthorized)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "Refused",
                $"The API server does not take the action, which is an annotation on the NitroEnclaveDeployment: {Quote.Of(refused.Message)}; mend what it names and ask again.");
        }

        return TypedResults.Accepted($"{context.Request.PathBase}{context.Request.Path.Value![..context.Request.Path.Value!.LastIndexOf('/')]}/events",
            new AcceptedAction(action.Id, action.Kind, action.At, action.By));
    }
}
