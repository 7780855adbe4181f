using Microsoft.AspNetCore.Mvc;

namespace Enclaves.Reconciler.Rest.Endpoints;

/// <summary>Says in the OpenAPI document what a route answers.</summary>
internal static class RouteAnswers
{
    /// <summary>Describes a route: its name in generated clients, a sentence, and the statuses of its problem documents besides those that every route has.</summary>
    public static RouteHandlerBuilder Answers(this RouteHandlerBuilder route, string name, string summary, params int[] problems)
    {
        route.WithName(name).WithSummary(summary);
        foreach (var status in problems.Concat([401, 429, 503]).Order())
            route.Produces<ProblemDetails>(status, Serving.Problems.MediaType);
        return route;
    }
}
