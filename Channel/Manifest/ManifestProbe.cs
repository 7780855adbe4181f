using System.Text.Json.Serialization;

namespace Enclaves.Channel.Manifest;

/// <summary>A probe of a container, with a kubelet's meaning. Exactly one of the ways of asking is given; the timings are final.</summary>
public sealed record ManifestProbe
{
    /// <summary>Program and arguments, run in the container; success is exit code 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Exec { get; init; }

    /// <summary>A request over the enclave's loopback; success is a status of 200 to 399.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestHttpGet? HttpGet { get; init; }

    /// <summary>Port of a connection over the enclave's loopback; success is that it is accepted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? TcpPort { get; init; }

    /// <summary>Seconds from the container's start to the first look, 0 to 86400.</summary>
    public required int InitialDelaySeconds { get; init; }

    /// <summary>Seconds between two looks, 1 to 86400.</summary>
    public required int PeriodSeconds { get; init; }

    /// <summary>Seconds that a look may take, 1 to 3600.</summary>
    public required int TimeoutSeconds { get; init; }

    /// <summary>Successes in a row that count as success, 1 to 1000; 1 for liveness and startup.</summary>
    public required int SuccessThreshold { get; init; }

    /// <summary>Failures in a row that count as failure, 1 to 10000.</summary>
    public required int FailureThreshold { get; init; }
}

/// <summary>The request of a probe.</summary>
public sealed record ManifestHttpGet
{
    /// <summary>HTTP, or HTTPS without a check of the certificate.</summary>
    public required string Scheme { get; init; }

    /// <summary>TCP port, 1-65535.</summary>
    public required int Port { get; init; }

    /// <summary>Path and query, from the / on.</summary>
    public required string Path { get; init; }

    /// <summary>Headers in order, at most 64.</summary>
    public required IReadOnlyList<ManifestHeader> Headers { get; init; }
}

/// <summary>A header of a probe's request.</summary>
public sealed record ManifestHeader
{
    /// <summary>Letters, digits and -.</summary>
    public required string Name { get; init; }

    /// <summary>Its value, without control characters.</summary>
    public required string Value { get; init; }
}
