using System.ComponentModel;
using System.Net;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Serving;
using Enclaves.Reconciler.Rest.Streaming;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Rest.Endpoints;

/// <summary>The enclaves of a NED, and their logs.</summary>
internal static class EnclaveEndpoints
{
    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet(NedEndpoints.One + "/enclaves", EnclavesAsync).RequireAccess(RouteAccess.ToNed("get"), new RouteAccess("list", "", "pods"))
            .Produces<IReadOnlyList<EnclaveRow>>().Answers("listEnclaves", "The enclaves of a NitroEnclaveDeployment, a row for each of its pods.", 403, 404);
        api.MapGet(NedEndpoints.One + "/enclaves/{pod}/logs", LogsAsync)
            .RequireAccess(RouteAccess.ToNed("get"), new RouteAccess("get", "", "pods", "log", NameFrom: "pod")).IsLong(LongRequest.Log)
            .Produces<string>(StatusCodes.Status200OK, PodLog.MediaType)
            .Answers("getLogs", "The log of an enclave and its plugins: a JSON object {time, container, stream, text} on each line.", 403, 404, 409, 422);
    }

    private static async Task<IResult> EnclavesAsync(string @namespace, string name, HttpContext context, ClusterStores stores, EnclaveQuestions questions)
    {
        if (stores.Neds.Get(new ObjectKey(@namespace, name)) is not { } ned)
            return NedEndpoints.NoNed(@namespace, name);
        var pods = stores.Pods.Find(ClusterStores.PodsOf(ned.Key)).OrderBy(pod => pod.Key.Name, StringComparer.Ordinal).ToList();
        var digest = ned.TextAt("status", "manifestDigest");
        var reports = await questions.AskAsync(pods, context.RequestAborted);
        return TypedResults.Ok(pods.Select(pod => EnclaveRowReader.Read(pod, digest, reports.GetValueOrDefault(pod.Uid))));
    }

    private static async Task<IResult> LogsAsync(
        string @namespace, string name, string pod, HttpContext context, ClusterStores stores, PodLog logs,
        [Description("Only the lines of this plugin, or of orchestrator or enclave-host; absent for all.")] string? container = null,
        [Description("Whether to go on with new lines for as long as the enclave lives.")] bool follow = false,
        [Description("Only so many of the last lines, up to 1,000,000.")] int? tailLines = null,
        [Description("Only lines of the last so many seconds.")] int? sinceSeconds = null)
    {
        if (tailLines is < 0 or > 1_000_000)
            return Problems.Invalid("tailLines", $"tailLines is {tailLines}; allowed are 0 to 1000000.");
        if (sinceSeconds is < 1)
            return Problems.Invalid("sinceSeconds", $"sinceSeconds is {sinceSeconds}; allowed are 1 and more.");
        // A pod of this NED and no other: the right to read its log is asked for by name, and the name comes from the path.
        if (stores.Pods.Get(new ObjectKey(@namespace, pod)) is not { } live || live.TextAt("metadata", "labels", NedLabels.Deployment) != name)
            return Problems.NotFound($"pod {pod} of NitroEnclaveDeployment {name} in the namespace {@namespace}");
        try
        {
            await logs.SendAsync(context, live, new PodLogQuery(container, follow, tailLines, sinceSeconds));
            return Results.Empty;
        }
        catch (ApiException none) when (none.Code is HttpStatusCode.BadRequest or HttpStatusCode.NotFound)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "No log yet", $"Pod {live.Key} has no log now: {Quote.Of(none.Message)}; ask again when its EnclaveHost runs.");
        }
    }
}
