using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Enclaves.Channel.Egress;

/// <summary>Where the images of a registry come from.</summary>
/// <param name="Host">Host name or IP address in lower case, without brackets.</param>
/// <param name="Port">TCP port; registries are HTTPS unless a port is named.</param>
public sealed record RegistryAddress(string Host, int Port)
{
    private const int DefaultPort = 443;

    /// <summary>Reads <c>host</c>, <c>host:port</c>, <c>[v6]</c>, <c>[v6]:port</c> or a bare IPv6 address.</summary>
    /// <param name="text">As a manifest lists it.</param>
    /// <param name="address">The parts, when the answer is true.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out RegistryAddress? address)
    {
        address = null;
        var (host, port) = (text, DefaultPort);
        if (!IsBareV6(text) && text.LastIndexOf(':') is > 0 and var colon && !text.EndsWith(']'))
        {
            host = text[..colon];
            if (!Digits.TryParsePort(text.AsSpan(colon + 1), out port))
                return false;
        }

        host = host.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
        if (host.Length is 0 or > 253)
            return false;
        address = new RegistryAddress(host, port);
        return true;
    }

    private static bool IsBareV6(string text) =>
        text[..Math.Min(1, text.Length)] != "[" && IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;
}
