using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>What a spec says of the enclave's logs besides that they go to the pod's log.</summary>
public sealed record LoggingSettings
{
    /// <summary>One of <see cref="LoggingLevels"/>; null means info.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Level { get; init; }

    /// <summary>URL of an OpenTelemetry collector; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OtlpEndpoint { get; init; }

    /// <summary>One of <see cref="OtlpProtocols"/>; null means grpc.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OtlpProtocol { get; init; }

    /// <summary>Secret with the collector's headers; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OtlpHeadersSecret { get; init; }

    /// <summary>The settings of a spec; null where it says nothing.</summary>
    public static LoggingSettings? Of(LoggingSpec? spec)
    {
        var otlp = spec?.Backend == LoggingBackends.Otlp ? spec.Otlp : null;
        var settings = new LoggingSettings
        {
            Level = spec?.Level == LoggingLevels.Info ? null : spec?.Level,
            OtlpEndpoint = otlp?.Endpoint,
            OtlpProtocol = otlp?.Protocol == OtlpProtocols.Grpc ? null : otlp?.Protocol,
            OtlpHeadersSecret = otlp?.HeadersSecret,
        };
        return settings == new LoggingSettings() ? null : settings;
    }
}
