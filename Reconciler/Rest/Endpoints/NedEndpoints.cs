using System.ComponentModel;
using System.Text;
using System.Text.Json;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Serving;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Enclaves.Reconciler.Rest.Endpoints;

/// <summary>What there is of NEDs to read: lists, one, its events, its manifest, and counts of all.</summary>
internal static class NedEndpoints
{
    /// <summary>Path of the NEDs of a namespace.</summary>
    public const string InNamespace = "/namespaces/{namespace}/" + NedNames.Plural;

    /// <summary>Path of one.</summary>
    public const string One = InNamespace + "/{name}";

    /// <summary>Adds the routes.</summary>
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/" + NedNames.Plural, ListAllAsync).Produces<NedList>().Answers("listAll", "NitroEnclaveDeployments of all namespaces that the caller may list.", 403, 422);
        api.MapGet(InNamespace, ListAsync).RequireAccess(new RouteAccess("list", NedNames.Group, NedNames.Plural)).Produces<NedList>()
            .Answers("list", "NitroEnclaveDeployments of a namespace.", 403, 422);
        api.MapGet(One, Get).RequireAccess(RouteAccess.ToNed("get")).Produces<NedDetail>().Answers("get", "One NitroEnclaveDeployment, whole.", 403, 404);
        api.MapGet(One + "/events", Events).RequireAccess(RouteAccess.ToNed("get"), new RouteAccess("list", "", "events")).Produces<IReadOnlyList<NedEvent>>()
            .Answers("listEvents", "What happened to a NitroEnclaveDeployment, the latest first.", 403, 404);
        api.MapGet(One + "/manifest", ManifestAsync).RequireAccess(RouteAccess.ToNed("get")).Produces<JsonElement>()
            .Answers("getManifest", "The manifest that its enclaves measure, byte for byte: the SHA-384 of the answer is its manifestDigest.", 403, 404);
        api.MapGet(One + "/kms-policy", Policy).RequireAccess(RouteAccess.ToNed("get")).Produces<KmsPolicy>()
            .Answers("getKmsPolicy", "A key policy of AWS KMS that serves only enclaves of this NitroEnclaveDeployment as it is now.", 403, 404, 409, 422);
        api.MapGet("/summary", SummaryAsync).Produces<Summary>().Answers("getSummary", "Counts over all NitroEnclaveDeployments that the caller may list.", 403);
    }

    private static async Task<IResult> ListAllAsync(
        HttpContext context, NedViews neds, VisibleNeds rights,
        [Description("Only those with these labels, such as app=web,env in (prod,test).")] string? labelSelector = null,
        [Description("Most items, 1 to 1000.")] int? limit = null,
        [Description("What the page before gave as continue.")] [FromQuery(Name = "continue")] string? token = null)
    {
        var (query, problem) = ListQuery.Read(labelSelector, limit, token);
        if (query is null)
            return problem!;
        if (await rights.OfAllAsync(context.Caller(), "list", null, context.RequestAborted) is not { } visible)
            return Problems.Forbidden(context.Caller(), Access.ToNeds("list"));
        var (page, remaining) = query.Of(neds.Now, visible);
        return new PageResult(page, remaining);
    }

    private static IResult ListAsync(
        string @namespace, NedViews neds,
        [Description("Only those with these labels, such as app=web,env in (prod,test).")] string? labelSelector = null,
        [Description("Most items, 1 to 1000.")] int? limit = null,
        [Description("What the page before gave as continue.")] [FromQuery(Name = "continue")] string? token = null)
    {
        var (query, problem) = ListQuery.Read(labelSelector, limit, token);
        if (query is null)
            return problem!;
        var (page, remaining) = query.Of(neds.Now, Visibility.Of(@namespace));
        return new PageResult(page, remaining);
    }

    private static IResult Get(string @namespace, string name, ClusterStores stores) => stores.Neds.Get(new ObjectKey(@namespace, name)) is { } ned
        ? TypedResults.Ok(NedReader.Detail(ned))
        : NoNed(@namespace, name);

    private static IResult Events(string @namespace, string name, ClusterStores stores)
    {
        if (stores.Neds.Get(new ObjectKey(@namespace, name)) is not { } ned)
            return NoNed(@namespace, name);
        return TypedResults.Ok(stores.NedEvents.Find(ned.Uid).Select(EventReader.Read).OrderByDescending(item => item.Last).ThenBy(item => item.Reason, StringComparer.Ordinal));
    }

    private static async Task<IResult> ManifestAsync(
        string @namespace, string name, HttpContext context, ClusterStores stores, ApiServer server, AccessReviews reviews)
    {
        if (stores.Neds.Get(new ObjectKey(@namespace, name)) is not { } ned)
            return NoNed(@namespace, name);
        if (ned.TextAt("status", "manifestDigest") is not { Length: > 0 } digest)
            return Problems.NotFound($"manifest of {ned.Key} yet: the Reconciler has made none for it, its condition Scheduled says why");
        var key = new ObjectKey(@namespace, NedNames.ManifestConfigMap(name, digest));
        var access = new Access("get", "", "configmaps", @namespace, key.Name);
        if (!await reviews.MayAsync(context.Caller(), access, context.RequestAborted))
            return Problems.Forbidden(context.Caller(), access);
        return (await server.GetAsync(ResourceKind.ConfigMap, key, context.RequestAborted, anyAge: true))?.TextAt("data", NedNames.ManifestFile) is { } manifest
            ? TypedResults.Text(manifest, "application/json", Encoding.UTF8)
            : Problems.NotFound($"ConfigMap {key} with the manifest of {ned.Key}");
    }

    private static IResult Policy(
        string @namespace, string name, ClusterStores stores,
        [Description("ARN of the IAM role under which the enclaves call KMS, such as arn:aws:iam::111122223333:role/hello.")] string? principal = null)
    {
        if (stores.Neds.Get(new ObjectKey(@namespace, name)) is not { } ned)
            return NoNed(@namespace, name);
        if (principal is null || !KmsPolicy.IsPrincipal(principal))
            return Problems.Invalid("principal", "Give the ARN of the IAM role under which the enclaves call KMS, such as ?principal=arn:aws:iam::111122223333:role/hello.");
        if (ned.At("spec", "enclave", "debugMode") is { ValueKind: JsonValueKind.True })
            return NoPolicy("An enclave in debug mode attests zeros, as anybody's does; set spec.enclave.debugMode to false.");
        var (digest, measurements) = (ned.TextAt("status", "manifestDigest"), NedReader.Measurements(ned));
        if (digest is not { Length: >= 10 } || ned.CountAt("status", "observedGeneration") < ned.Generation)
            return NoPolicy($"The Reconciler has not measured generation {ned.Generation} of {ned.Key} yet; try again in a moment, the condition Scheduled says what is wrong.");
        if (measurements?.ContainsKey("PCR0") != true)
        {
            return NoPolicy("The measurements of its enclave image are not known, and without them any image could use the key; whoever installed the platform gives them "
                + "by the chart's value enclave.images.");
        }

        return TypedResults.Ok(KmsPolicy.Of(name, digest, measurements, principal));
    }

    private static ProblemHttpResult NoPolicy(string detail) => Problems.Of(StatusCodes.Status409Conflict, "No policy", detail);

    private static async Task<IResult> SummaryAsync(HttpContext context, NedViews neds, VisibleNeds rights)
    {
        if (await rights.OfAllAsync(context.Caller(), "list", null, context.RequestAborted) is not { } visible)
            return Problems.Forbidden(context.Caller(), Access.ToNeds("list"));
        var seen = neds.Now.Neds.Where(view => visible.Includes(view.Key.Namespace)).Select(view => view.Item).ToList();
        return TypedResults.Ok(new Summary(
            seen.Count,
            seen.Select(item => item.Namespace).Distinct(StringComparer.Ordinal).Count(),
            seen.Sum(item => item.Replicas),
            seen.Sum(item => item.ReadyReplicas),
            Enum.GetValues<NedHealth>().ToDictionary(health => health, health => seen.Count(item => item.Health == health)),
            seen.Where(item => item.Health != NedHealth.Healthy).CountBy(item => item.Reason).ToDictionary()));
    }

    /// <summary>404 for a NED.</summary>
    public static IResult NoNed(string space, string name) => Problems.NotFound($"NitroEnclaveDeployment {name} in the namespace {space}");
}
