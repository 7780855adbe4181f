using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Rest.Auth;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Enclaves.Reconciler.Rest.Serving;

/// <summary>Problem documents (RFC 9457): what is wrong, and the next step.</summary>
internal static class Problems
{
    /// <summary>Their media type.</summary>
    public const string MediaType = "application/problem+json";

    private static readonly TimeSpan ComeAgain = TimeSpan.FromSeconds(5);

    /// <summary>Writes one as the answer of a request.</summary>
    public static Task WriteAsync(HttpContext context, int status, string title, string detail) =>
        Of(status, title, detail).ExecuteAsync(context);

    /// <summary>One, as an answer.</summary>
    public static ProblemHttpResult Of(int status, string title, string detail) => TypedResults.Problem(detail, null, status, title);

    /// <summary>404 for an object that the caller could see if it were there.</summary>
    public static ProblemHttpResult NotFound(string what) => Of(StatusCodes.Status404NotFound, "Not found", $"There is no {what}; see that name and namespace are right.");

    /// <summary>422 for a parameter.</summary>
    public static ProblemHttpResult Invalid(string parameter, string detail) =>
        TypedResults.Problem(detail, null, StatusCodes.Status422UnprocessableEntity, "Invalid parameter", null, new Dictionary<string, object?> { ["parameter"] = parameter });

    /// <summary>429 with the time after which to come again.</summary>
    public static ProblemHttpResult TooMany(HttpContext context, string detail)
    {
        RetryAfter(context);
        return Of(StatusCodes.Status429TooManyRequests, "Too many requests", detail);
    }

    /// <summary>429 for whoever asks more at once than is answered.</summary>
    public static ProblemHttpResult TooMany(HttpContext context) =>
        TooMany(context, "More is asked at once than is answered; ask again after the seconds in Retry-After, and for fewer things at a time.");

    /// <summary>403 for what somebody may not do.</summary>
    public static ProblemHttpResult Forbidden(Caller caller, Access access) => Of(StatusCodes.Status403Forbidden, "Forbidden", MayNot(caller, access));

    /// <summary>What somebody may not do, and what mends it.</summary>
    public static string MayNot(Caller caller, Access access) =>
        $"{caller.Name} may not {access}; whoever administers the cluster can allow it by a Role with that verb and a RoleBinding (or a ClusterRole and a ClusterRoleBinding).";

    /// <summary>503 while this replica does not know yet what there is.</summary>
    public static Task TooEarlyAsync(HttpContext context)
    {
        RetryAfter(context);
        return WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "Not ready yet",
            "This replica of the Reconciler has just started and does not know yet what there is; try again in some seconds. Its /readyz says what it waits for.");
    }

    /// <summary>Tells the client when to come again.</summary>
    public static void RetryAfter(HttpContext context) =>
        context.Response.Headers.RetryAfter = ((int)ComeAgain.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Turns what went wrong on the way to the API server into 503, and a defect of ours into 500, each with a problem document.</summary>
internal sealed partial class FailureProblems(ILogger<FailureProblems> logger) : IExceptionHandler
{
    /// <inheritdoc />
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        switch (exception)
        {
            case OperationCanceledException when httpContext.RequestAborted.IsCancellationRequested:
                return true;
            case BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } bad:
                await Problems.WriteAsync(httpContext, StatusCodes.Status422UnprocessableEntity, "Invalid parameter", bad.Message);
                return true;
            case BadHttpRequestException bad:
                await Problems.WriteAsync(httpContext, bad.StatusCode, "Bad request", bad.Message);
                return true;
            case TooManyQuestionsException:
                await Problems.TooMany(httpContext).ExecuteAsync(httpContext);
                return true;
            case var failure when ApiServer.IsFailure(failure):
                LogFailed(logger, httpContext.Request.Path.Value ?? "", failure.Message);
                Problems.RetryAfter(httpContext);
                await Problems.WriteAsync(httpContext, StatusCodes.Status503ServiceUnavailable, "The API server does not answer",
                    "The Kubernetes API server could not be asked; try again in some seconds. The Reconciler's log has the reason.");
                return true;
            default:
                LogDefect(logger, exception, httpContext.Request.Path.Value ?? "");
                await Problems.WriteAsync(httpContext, StatusCodes.Status500InternalServerError, "Internal error",
                    "A defect of the Reconciler; its log has the details. Please report it.");
                return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} is answered with 503: {Failure}")]
    private static partial void LogFailed(ILogger logger, string path, string failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} met a defect of ours")]
    private static partial void LogDefect(ILogger logger, Exception defect, string path);
}
