using System.Net;
using Enclaves.Channel;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>Destinations: host names and literal addresses.</summary>
internal static class HostRules
{
    /// <summary>A host name without wildcard, or a literal IP address.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> HostOrAddress<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((host, context) =>
    {
        if (host is null || !IsHostOrAddress(host))
            context.AddFailure($"'{host}' is not a destination; allowed is a host name without wildcard, or an IP address");
    });

    /// <summary>A host name or IPv4 address, perhaps with a port.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> RegistryHost<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((registry, context) =>
    {
        var colon = registry?.LastIndexOf(':') ?? -1;
        var host = colon < 0 ? registry : registry![..colon];
        var portHolds = colon < 0
            || Digits.TryParsePort(registry.AsSpan(colon + 1), out _);
        if (host is null || !IsHostOrAddress(host) || !portHolds)
            context.AddFailure($"'{registry}' is not a registry; allowed is a host name, or host name:port, without https:// and path");
    });

    // Digits and dots alone are an address or nothing: 1.2.3 is no host name that anybody means.
    private static bool IsHostOrAddress(string text) => text.All(c => char.IsAsciiDigit(c) || c == '.')
        ? IPAddress.TryParse(text, out _) && text.Count(c => c == '.') == 3
        : NameRules.IsHostName(text) || (text.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(text, out _));
}
