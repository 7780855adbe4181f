using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A destination that a container may connect to.</summary>
public sealed record OutboundConnection
{
    /// <summary>Kind of connection. Absent means default: a plain relay, end to end as the container makes it.</summary>
    [JsonPropertyName("type")]
    [AllowedValues(OutboundTypes.Default, OutboundTypes.Enclave, OutboundTypes.Proxy)]
    public string? Type { get; init; }

    /// <summary>Host name of the destination without wildcard; with type default also a literal IP address.</summary>
    [JsonPropertyName("fqdn")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Fqdn { get; init; }

    /// <summary>TCP port of the destination.</summary>
    [JsonPropertyName("port")]
    [Required]
    [Range(1, 65535)]
    public int Port { get; init; }

    /// <summary>https URL of the attesting proxy; with type proxy only, and required there.</summary>
    [JsonPropertyName("proxyUrl")]
    [StringLength(2048, MinimumLength = 1)]
    public string? ProxyUrl { get; init; }

    /// <summary>Port at which the proxy attests itself; with type proxy only, and required there.</summary>
    [JsonPropertyName("attestationPort")]
    [Range(1, 65535)]
    public int? AttestationPort { get; init; }

    /// <summary>Seconds between two attestations of the proxy; with type proxy only. Absent means 15.</summary>
    [JsonPropertyName("proxyAttestationIntervalSeconds")]
    [Range(NedDefaults.ProxyAttestationIntervalSeconds, NedDefaults.LongestProxyAttestationIntervalSeconds)]
    public int? ProxyAttestationIntervalSeconds { get; init; }

    /// <summary>Name of the ConfigMap with the other enclave's expected measurements; with type enclave only, and required there.</summary>
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
