using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A destination that a container may connect to.</summary>
public sealed record OutboundConnection
{
    /// <summary>Kind of connection. default: a plain relay, end to end as the container makes it. enclave: to another enclave, which has to attest itself. proxy: through a proxy, which has to attest itself. Absent means default.</summary>
    [JsonPropertyName("type")]
    [AllowedValues(OutboundTypes.Default, OutboundTypes.Enclave, OutboundTypes.Proxy)]
    public string? Type { get; init; }

    /// <summary>Host of the destination, as the container names it.</summary>
    /// <remarks>A host name without wildcard; with type default also a literal IP address.</remarks>
    [JsonPropertyName("fqdn")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Fqdn { get; init; }

    /// <summary>TCP port of the destination.</summary>
    [JsonPropertyName("port")]
    [Required]
    [Range(1, 65535)]
    public int Port { get; init; }

    /// <summary>URL of the attesting proxy.</summary>
    /// <remarks>With type proxy only, and required there: https://HOST[:PORT][/PATH].</remarks>
    [JsonPropertyName("proxyUrl")]
    [StringLength(2048, MinimumLength = 1)]
    public string? ProxyUrl { get; init; }

    /// <summary>Port at which the proxy attests itself.</summary>
    /// <remarks>With type proxy only, and required there.</remarks>
    [JsonPropertyName("attestationPort")]
    [Range(1, 65535)]
    public int? AttestationPort { get; init; }

    /// <summary>Seconds between two attestations of the proxy; absent means 15.</summary>
    /// <remarks>With type proxy only.</remarks>
    [JsonPropertyName("proxyAttestationIntervalSeconds")]
    [Range(NedDefaults.ProxyAttestationIntervalSeconds, NedDefaults.LongestProxyAttestationIntervalSeconds)]
    public int? ProxyAttestationIntervalSeconds { get; init; }

    /// <summary>ConfigMap with the other enclave's expected measurements.</summary>
    /// <remarks>With type enclave only, and required there: a name that a ConfigMap can have.</remarks>
    [JsonPropertyName("configMap")]
    [StringLength(253, MinimumLength = 1)]
    public string? ConfigMap { get; init; }
}

/// <summary>Values of <see cref="OutboundConnection.Type"/>.</summary>
public static class OutboundTypes
{
    /// <summary>A plain relay.</summary>
    public const string Default = "default";

    /// <summary>To another enclave, which has to attest itself.</summary>
    public const string Enclave = "enclave";

    /// <summary>Through a proxy, which has to attest itself.</summary>
    public const string Proxy = "proxy";
}
