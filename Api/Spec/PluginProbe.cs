using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A probe as in a pod: one way of asking, and its timings.</summary>
/// <remarks>Exactly one of exec, httpGet and tcpSocket.</remarks>
public sealed record PluginProbe
{
    /// <summary>Succeeds when a command in the container exits with 0.</summary>
    [JsonPropertyName("exec")]
    public ExecProbe? Exec { get; init; }

    /// <summary>Succeeds when an HTTP request to the container is answered with 200 to 399.</summary>
    [JsonPropertyName("httpGet")]
    public HttpProbe? HttpGet { get; init; }

    /// <summary>Succeeds when the container takes a TCP connection.</summary>
    [JsonPropertyName("tcpSocket")]
    public TcpProbe? TcpSocket { get; init; }

    /// <summary>Seconds from the container's start to the first probe; absent means 0.</summary>
    [JsonPropertyName("initialDelaySeconds")]
    [Range(0, 86400)]
    public int? InitialDelaySeconds { get; init; }

    /// <summary>Seconds between two probes; absent means 10.</summary>
    [JsonPropertyName("periodSeconds")]
    [Range(1, 86400)]
    public int? PeriodSeconds { get; init; }

    /// <summary>Seconds that a probe may take; absent means 1.</summary>
    [JsonPropertyName("timeoutSeconds")]
    [Range(1, 3600)]
    public int? TimeoutSeconds { get; init; }

    /// <summary>Successes in a row after a failure that count as success; absent means 1.</summary>
    /// <remarks>1 for liveness and startup probes.</remarks>
    [JsonPropertyName("successThreshold")]
    [Range(1, 1000)]
    public int? SuccessThreshold { get; init; }

    /// <summary>Failures in a row that count as failure; absent means 3.</summary>
    [JsonPropertyName("failureThreshold")]
    [Range(1, 10000)]
    public int? FailureThreshold { get; init; }
}

/// <summary>A probe by a command.</summary>
public sealed record ExecProbe
{
    /// <summary>Program and arguments, run in the container without a shell.</summary>
    /// <remarks>A program at least.</remarks>
    [JsonPropertyName("command")]
    [Required]
    [MaxLength(256)]
    public IReadOnlyList<string>? Command { get; init; }
}

/// <summary>A probe by an HTTP request, over the enclave's loopback.</summary>
public sealed record HttpProbe
{
    /// <summary>Path of the request, with its query; absent means /.</summary>
    /// <remarks>Begins with /, without control characters.</remarks>
    [JsonPropertyName("path")]
    [StringLength(2048, MinimumLength = 1)]
    public string? Path { get; init; }

    /// <summary>Port that the container listens on.</summary>
    [JsonPropertyName("port")]
    [Required]
    [Range(1, 65535)]
    public int Port { get; init; }

    /// <summary>HTTP, or HTTPS without a check of the certificate; absent means HTTP.</summary>
    [JsonPropertyName("scheme")]
    [AllowedValues(ProbeSchemes.Http, ProbeSchemes.Https)]
    public string? Scheme { get; init; }

    /// <summary>Headers to send.</summary>
    [JsonPropertyName("httpHeaders")]
    [MaxLength(64)]
    public IReadOnlyList<ProbeHeader>? HttpHeaders { get; init; }
}

/// <summary>A header of a probe's request.</summary>
public sealed record ProbeHeader
{
    /// <summary>Name of the header.</summary>
    /// <remarks>Letters, digits and '-'.</remarks>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(256, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Its value.</summary>
    /// <remarks>Without control characters.</remarks>
    [JsonPropertyName("value")]
    [Required]
    [StringLength(4096)]
    public string? Value { get; init; }
}

/// <summary>A probe by a TCP connection, over the enclave's loopback.</summary>
public sealed record TcpProbe
{
    /// <summary>Port that the container listens on.</summary>
    [JsonPropertyName("port")]
    [Required]
    [Range(1, 65535)]
    public int Port { get; init; }
}

/// <summary>Values of <see cref="HttpProbe.Scheme"/>.</summary>
public static class ProbeSchemes
{
    /// <summary>Plain.</summary>
    public const string Http = "HTTP";

    /// <summary>With TLS.</summary>
    public const string Https = "HTTPS";
}
