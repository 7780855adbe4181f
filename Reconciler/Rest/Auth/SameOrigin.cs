namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>Keeps other sites' pages from pressing buttons here with somebody's cookie.</summary>
internal static class SameOrigin
{
    /// <summary>
    /// Whether a request may act with a cookie: it only reads, or the browser says that it comes from a page of this server (Fetch Metadata,
    /// https://www.w3.org/TR/fetch-metadata/; the Origin header where a browser has no such).
    /// </summary>
    public static bool Allows(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method))
            return true;
        return request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site
            ? site == "same-origin"
            : request.Headers.Origin.ToString() == $"{request.Scheme}://{request.Host}";
    }
}
