using System.Security.Claims;
using System.Text.Encodings.Web;
using Enclaves.Reconciler.Rest.Serving;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>
/// Recognises whoever sends a token: as a bearer token, or, from a browser, in the cookie that /login gives. A browser sends the cookie by itself, so
/// with it nothing is changed unless the browser says that the request comes from a page of this very server.
/// </summary>
internal sealed class TokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, TokenReviews tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    /// <summary>Name of the scheme.</summary>
    public const string Name = "token";

    private const string Bearer = "Bearer ";

    /// <inheritdoc />
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var (token, isCookie) = TokenOf(Request);
        if (token is null)
            return AuthenticateResult.NoResult();
        if (isCookie && !SameOrigin.Allows(Request))
            return AuthenticateResult.Fail("the request comes from a page of another site");
        if (await tokens.WhoAsync(token, Context.Connection.RemoteIpAddress, Context.RequestAborted) is not { } caller)
            return AuthenticateResult.Fail("the API server does not accept the token");
        Context.Features.Set(new Recognised(caller, token));
        var principal = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, caller.Name)], Name));
        return AuthenticateResult.Success(new AuthenticationTicket(principal, Name));
    }

    /// <inheritdoc />
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (IsPage(Request))
        {
            Response.Redirect(LoginPage.PathFor(Request));
            return;
        }

        Response.Headers.WWWAuthenticate = "Bearer";
        await Problems.WriteAsync(Context, StatusCodes.Status401Unauthorized, "Unauthorized", TokenOf(Request).Token is null
            ? "No token came with the request; send one as Authorization: Bearer TOKEN, such as kubectl create token gives, or log in at /login."
            : "The token is not valid (any more) in this cluster; get a new one, such as by kubectl create token, or log in at /login.");
    }

    /// <inheritdoc />
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Problems.Forbidden(
        Context.Caller(), Context.Features.Get<Refused>()?.Access ?? throw new InvalidOperationException("a request was refused for want of no right")).ExecuteAsync(Context);

    private static (string? Token, bool IsCookie) TokenOf(HttpRequest request) =>
        request.Headers.Authorization is [{ } header] && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? (header[Bearer.Length..].Trim(), false)
            : (LoginCookie.Read(request), true);

    // Whoever asks for a page in a browser is shown where to log in; a program is told by a problem document.
    private static bool IsPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && !request.Path.StartsWithSegments(RestServer.ApiPath) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal);
}

/// <summary>Whom a request comes from, and the token by which that is known.</summary>
internal sealed record Recognised(Caller Caller, string Token);

/// <summary>Whom a request comes from.</summary>
internal static class RecognisedRequest
{
    /// <summary>The caller of a request that was let in.</summary>
    public static Caller Caller(this HttpContext context) => context.Recognised().Caller;

    /// <summary>The caller of a request that was let in, with the token.</summary>
    public static Recognised Recognised(this HttpContext context) =>
        context.Features.Get<Recognised>() ?? throw new InvalidOperationException("the request was let in without a caller");
}
