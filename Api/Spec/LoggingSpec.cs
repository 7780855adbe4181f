using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>Where the logs of the enclave go.</summary>
public sealed record LoggingSpec
{
    /// <summary>stdout: the pod's log; otlp: an OpenTelemetry collector besides. EnclaveHost's own log is always in the pod's.</summary>
    [JsonPropertyName("backend")]
    [AllowedValues(LoggingBackends.Stdout, LoggingBackends.Otlp)]
    [DefaultValue(LoggingBackends.Stdout)]
    public string? Backend { get; init; }

    /// <summary>The OpenTelemetry collector.</summary>
    /// <remarks>With backend otlp only, and required there.</remarks>
    [JsonPropertyName("otlp")]
    public OtlpSpec? Otlp { get; init; }

    /// <summary>Least level of the platform's own lines, those of EnclaveHost and Orchestrator; absent means info. The containers' lines always come through.</summary>
    [JsonPropertyName("level")]
    [AllowedValues(LoggingLevels.Debug, LoggingLevels.Info, LoggingLevels.Warn, LoggingLevels.Error)]
    public string? Level { get; init; }
}

/// <summary>An OpenTelemetry collector.</summary>
public sealed record OtlpSpec
{
    /// <summary>URL of the collector, such as https://otel.example:4317. It is reached from the pod, not from inside the enclave.</summary>
    /// <remarks>http(s)://HOST:PORT[/PATH].</remarks>
    [JsonPropertyName("endpoint")]
    [Required]
    [StringLength(2048, MinimumLength = 1)]
    public string? Endpoint { get; init; }

    /// <summary>How to speak to the collector; absent means grpc.</summary>
    [JsonPropertyName("protocol")]
    [AllowedValues(OtlpProtocols.Grpc, OtlpProtocols.Http)]
    public string? Protocol { get; init; }

    /// <summary>Secret whose keys and values are sent as headers.</summary>
    /// <remarks>A name that a Secret can have.</remarks>
    [JsonPropertyName("headersSecret")]
    [StringLength(253, MinimumLength = 1)]
    public string? HeadersSecret { get; init; }
}

/// <summary>Values of <see cref="LoggingSpec.Backend"/>.</summary>
public static class LoggingBackends
{
    /// <summary>The pod's log only.</summary>
    public const string Stdout = "stdout";

    /// <summary>A collector as well.</summary>
    public const string Otlp = "otlp";
}

/// <summary>Values of <see cref="OtlpSpec.Protocol"/>.</summary>
public static class OtlpProtocols
{
    /// <summary>OTLP over gRPC.</summary>
    public const string Grpc = "grpc";

    /// <summary>OTLP over HTTP.</summary>
    public const string Http = "http";
}

/// <summary>Values of <see cref="LoggingSpec.Level"/>.</summary>
public static class LoggingLevels
{
    /// <summary>Everything.</summary>
    public const string Debug = "debug";

    /// <summary>What happens.</summary>
    public const string Info = "info";

    /// <summary>What is not as it should be.</summary>
    public const string Warn = "warn";

    /// <summary>What failed.</summary>
    public const string Error = "error";
}
