namespace Enclaves.Webhook.Validation;

/// <summary>URLs of servers.</summary>
internal static class UrlRules
{
    /// <summary>Whether it is an absolute URL of one of these schemes with a host and without user, query and fragment.</summary>
    public static bool IsUrl(string text, params ReadOnlySpan<string> schemes) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && schemes.Contains(url.Scheme)
        && url.Host.Length > 0 && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0;
}
