using Enclaves.Api;
using Microsoft.AspNetCore.Authorization;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>What a route takes in Kubernetes RBAC; namespace and name are those in its path.</summary>
/// <param name="Verb">Verb.</param>
/// <param name="Group">API group.</param>
/// <param name="Resource">Plural name.</param>
/// <param name="Subresource">Sub-resource, or "".</param>
/// <param name="NameFrom">Which part of the path is the object's name, or null where the verb is about all objects of the namespace.</param>
internal sealed record RouteAccess(string Verb, string Group, string Resource, string Subresource = "", string? NameFrom = null) : IAuthorizationRequirement
{
    /// <summary>A verb on the NED in the path.</summary>
    public static RouteAccess ToNed(string verb) => new(verb, NedNames.Group, NedNames.Plural, NameFrom: "name");

    /// <summary>The right that this request takes.</summary>
    public Access Of(HttpRequest request) => new(
        Verb, Group, Resource, Part(request, "namespace"), NameFrom is null ? "" : Part(request, NameFrom), Subresource);

    private static string Part(HttpRequest request, string name) => request.RouteValues[name]?.ToString() ?? "";
}

/// <summary>The right that a request was refused for.</summary>
internal sealed record Refused(Access Access);

/// <summary>Asks the API server whether the caller has the rights that a route takes.</summary>
internal sealed class RouteAccessHandler(AccessReviews reviews) : AuthorizationHandler<RouteAccess>
{
    /// <inheritdoc />
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, RouteAccess requirement)
    {
        if (context.Resource is not HttpContext http || http.Features.Get<Recognised>() is not { } recognised)
            return;
        var access = requirement.Of(http.Request);
        if (await reviews.MayAsync(recognised.Caller, access, http.RequestAborted))
            context.Succeed(requirement);
        else
            http.Features.Set(new Refused(access));
    }
}

/// <summary>Marks routes.</summary>
internal static class RouteAccessMarks
{
    /// <summary>Lets only callers in who have all of these rights.</summary>
    public static TBuilder RequireAccess<TBuilder>(this TBuilder route, params RouteAccess[] rights)
        where TBuilder : IEndpointConventionBuilder =>
        route.RequireAuthorization(policy => policy.AddRequirements([.. rights]));
}
