using System.Buffers.Text;
using System.Text;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>
/// The cookie that keeps a token in a browser: out of scripts' reach, over TLS only, to this very host only, never with a request that another
/// site's page makes, and gone with the browser's session. No replica keeps anything, so that any of them can answer.
/// </summary>
internal static class LoginCookie
{
    /// <summary>Longest token, in bytes: browsers take no cookie over 4096 bytes, and base64 makes four of three.</summary>
    public const int MostTokenBytes = 2900;

    // The prefix makes browsers insist on Secure, on the whole host, and on no domain (RFC 6265bis, 4.1.3.2).
    private const string Name = "__Host-enclaves-token";

    private static CookieOptions Options => new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true };

    /// <summary>Gives it.</summary>
    public static void Write(HttpResponse response, string token) =>
        response.Cookies.Append(Name, Base64Url.EncodeToString(Encoding.UTF8.GetBytes(token)), Options);

    /// <summary>Takes it away.</summary>
    public static void Remove(HttpResponse response) => response.Cookies.Delete(Name, Options);

    /// <summary>The token, or null without a cookie; "" when the cookie holds none.</summary>
    public static string? Read(HttpRequest request)
    {
        if (request.Cookies[Name] is not { Length: > 0 } value)
            return null;
        return Base64Url.IsValid(value) ? Encoding.UTF8.GetString(Base64Url.DecodeFromChars(value)) : "";
    }
}
