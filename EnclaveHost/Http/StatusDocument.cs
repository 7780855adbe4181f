using System.Text.Json.Serialization;

namespace Enclaves.EnclaveHost.Http;

/// <summary>The whole truth about the pod's enclave, as <c>/status</c> gives it. Holds no secret; absent means not known (yet).</summary>
internal sealed record StatusDocument
{
    public required string Name { get; init; }
    public required string Namespace { get; init; }
    public required string State { get; init; }
    public required DateTimeOffset Since { get; init; }
    public required string Reason { get; init; }
    public required string Message { get; init; }
    public required string Driver { get; init; }
    public required bool Confidential { get; init; }
    public required string ManifestDigest { get; init; }
    public required long Boots { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required PhasesDocument Phases { get; init; }
    public required IReadOnlyList<TransitionDocument> Transitions { get; init; }
    public EnclaveDocument? Enclave { get; init; }

    /// <summary>Of the enclave's kernel; another than the node's proves that there is one.</summary>
    public string? KernelRelease { get; init; }

    public string? BootId { get; init; }
    public string? OrchestratorVersion { get; init; }
    public MeasurementsDocument? Measurements { get; init; }
    public HealthDocument? Health { get; init; }
    public required IReadOnlyList<ContainerDocument> Containers { get; init; }

    /// <summary>The relays of the pod: <c>ingress:CONTAINER:PORT</c>, and <c>egress</c>.</summary>
    public required IReadOnlyList<RelayDocument> Relays { get; init; }

    /// <summary>The relays inside the enclave, as the Orchestrator tells.</summary>
    public required IReadOnlyList<RelayDocument> EnclaveRelays { get; init; }

    /// <summary>Refused egress connections by container.</summary>
    public required IReadOnlyDictionary<string, long> EgressRefused { get; init; }

    public required LogDropsDocument LogDrops { get; init; }

    /// <summary>The collector of the log, where there is one.</summary>
    public OtlpDocument? Otlp { get; init; }
}

/// <summary>When the phases of the present boot began.</summary>
internal sealed record PhasesDocument(
    DateTimeOffset? BootStarted, DateTimeOffset? Booted, DateTimeOffset? ManifestSynced, DateTimeOffset? Running);

/// <summary>One of the last moves of the state.</summary>
internal sealed record TransitionDocument(DateTimeOffset At, string From, string To, string Reason, string Message);

/// <summary>What the driver knows of the enclave.</summary>
internal sealed record EnclaveDocument(string Id, uint Cid, int CpuCount, int MemoryMib, string Note);

/// <summary>
/// Registers, hex: 0, 1, 2 and 8 of the image as the driver knows them, 16 of the manifest as the enclave tells it. Simulated ones prove nothing.
/// </summary>
internal sealed record MeasurementsDocument(string? Pcr0, string? Pcr1, string? Pcr2, string? Pcr8, string? Pcr16, bool Simulated);

/// <summary>The last health check.</summary>
internal sealed record HealthDocument(DateTimeOffset At, bool Healthy, string Reason, string Message);

/// <summary>A container inside the enclave.</summary>
internal sealed record ContainerDocument
{
    public required string Name { get; init; }
    public required string Role { get; init; }
    public required string State { get; init; }
    public required string Reason { get; init; }
    public required string Message { get; init; }
    public required uint Restarts { get; init; }
    public required bool Ready { get; init; }
    public required string Image { get; init; }
    public required string ImageDigest { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public LastTerminationDocument? LastTermination { get; init; }
}

/// <summary>How a container ended the last time; the message says why the Orchestrator ended it, and is absent where it ended by itself.</summary>
internal sealed record LastTerminationDocument(
    int ExitCode, int? Signal, string Reason, string? Message, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt);

/// <summary>Counters of a relay; in is into the enclave.</summary>
internal sealed record RelayDocument(string Name, long Open, long Total, long BytesIn, long BytesOut, long Refused);

/// <summary>Log lines lost for want of a reader: in the enclave, and here.</summary>
internal sealed record LogDropsDocument(long Enclave, long Host);

/// <summary>Lines that the collector has taken, lines lost on the way there, and what is wrong with it; empty while all is well.</summary>
internal sealed record OtlpDocument(string Endpoint, long Sent, long Dropped, string Problem);

/// <summary>Source-generated metadata: no reflection in a NativeAOT program.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StatusDocument))]
internal sealed partial class StatusJson : JsonSerializerContext;
