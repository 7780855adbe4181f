using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>/login, where a browser exchanges a token for a cookie, and /logout.</summary>
internal static class LoginPage
{
    private const string Path = "/login";
    private const string LogOutPath = "/logout";
    private const string Home = "/swagger/index.html";

    private const string Style = """
        body { font-family: system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem; color: #1b1f24 }
        textarea { width: 100%; box-sizing: border-box; font-family: ui-monospace, monospace }
        button { margin-top: .75rem; padding: .5rem 1.25rem; font: inherit }
        code { background: #f0f2f5; padding: .1rem .3rem }
        .problem { color: #a40e26 }
        """;

    /// <summary>Adds both to the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (HttpContext context) => Show(context, ReturnTo(context.Request.Query["returnUrl"]), null)).AllowAnonymous().ExcludeFromDescription();
        routes.MapPost(Path, LogInAsync).AllowAnonymous().ExcludeFromDescription();
        routes.MapPost(LogOutPath, LogOut).AllowAnonymous().ExcludeFromDescription();
    }

    /// <summary>Where to log in and come back from.</summary>
    public static string PathFor(HttpRequest request) => $"{Path}?returnUrl={Uri.EscapeDataString(request.Path + request.QueryString)}";

    private static async Task<IResult> LogInAsync(HttpContext context, TokenReviews tokens)
    {
        // Another site's page must not be able to log somebody in as somebody else.
        if (!SameOrigin.Allows(context.Request) || !context.Request.HasFormContentType)
            return Show(context, Home, "The form did not come from this page; try again here.", StatusCodes.Status403Forbidden);
        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return Show(context, Home, "The form is none that this page sends; try again here.", StatusCodes.Status422UnprocessableEntity);
        }

        var returnUrl = ReturnTo(form["returnUrl"]);
        var token = form["token"].ToString().Trim();
        if (token.Length > LoginCookie.MostTokenBytes)
            return Show(context, returnUrl, $"The token is longer than the {LoginCookie.MostTokenBytes} bytes that a cookie has room for; use one of a service account.", StatusCodes.Status422UnprocessableEntity);
        if (await tokens.WhoAsync(token, context.Connection.RemoteIpAddress, context.RequestAborted) is null)
            return Show(context, returnUrl, "The cluster does not accept this token; get a new one.", StatusCodes.Status401Unauthorized);
        LoginCookie.Write(context.Response, token);
        return Results.LocalRedirect(returnUrl);
    }

    private static IResult LogOut(HttpContext context)
    {
        if (SameOrigin.Allows(context.Request))
            LoginCookie.Remove(context.Response);
        return Results.LocalRedirect(Path);
    }

    // Only to a page of this server, and only what a header can hold.
    private static string ReturnTo(string? url) =>
        url is ['/', not ('/' or '\\'), ..] && !url.AsSpan().ContainsAnyExceptInRange(' ', '~') && !url.StartsWith(Path, StringComparison.Ordinal) ? url : Home;

    private static ContentHttpResult Show(HttpContext context, string returnUrl, string? problem, int statusCode = StatusCodes.Status200OK) => TypedResults.Content($"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>Enclaves: log in</title><style>{Style}</style></head><body>
        <h1>Enclaves</h1>
        <form method="post" action="{Path}">
        <input type="hidden" name="returnUrl" value="{HtmlEncoder.Default.Encode(returnUrl)}">
        <p><label for="token">A token of the cluster, such as <code>kubectl create token NAME</code> gives. You see and may do here what it allows in Kubernetes.</label></p>
        <p><textarea id="token" name="token" rows="6" required autofocus autocomplete="off" spellcheck="false"></textarea></p>
        {(problem is null ? "" : $"<p class=\"problem\" role=\"alert\">{HtmlEncoder.Default.Encode(problem)}</p>")}
        <button type="submit">Log in</button>
        </form>
        {(LoginCookie.Read(context.Request) is null ? "" : $"<form method=\"post\" action=\"{LogOutPath}\"><button type=\"submit\">Log out</button></form>")}
        </body></html>
        """, "text/html; charset=utf-8", statusCode: statusCode);
}
