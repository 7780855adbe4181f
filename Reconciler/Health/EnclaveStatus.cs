using System.Text.Json;
using System.Text.Json.Serialization;

namespace Enclaves.Reconciler.Health;

/// <summary>
/// What an EnclaveHost says of its enclave at <c>/status</c>, as far as it is used here. None of it is to be believed further than that
/// somebody says so: any member may be absent, null or nonsense.
/// </summary>
internal sealed record EnclaveStatus
{
    /// <summary>Most containers, and most moves, that are looked at.</summary>
    public const int Most = 256;

    /// <summary>EnclaveHost's words for a state. What somebody else says in its place is made no label and no name.</summary>
    public static readonly IReadOnlyList<string> States = ["Starting", "Booting", "Booted", "ManifestSynced", "Running", "Unhealthy", "Stopping", "Stopped", "Failed"];

    /// <summary>State as EnclaveHost has it, one of <see cref="States"/>.</summary>
    public string? State { get; init; }

    /// <summary>Since when.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>What boots the enclave: nitro, qemu, process.</summary>
    public string? Driver { get; init; }

    /// <summary>Whether the enclave keeps its memory from the node.</summary>
    public bool Confidential { get; init; }

    /// <summary>SHA-384 of the manifest that the enclave has sealed.</summary>
    public string? ManifestDigest { get; init; }

    /// <summary>Boots of the enclave in the life of EnclaveHost.</summary>
    public int Boots { get; init; }

    /// <summary>The enclave that runs.</summary>
    public EnclaveIdentity? Enclave { get; init; }

    /// <summary>Its registers.</summary>
    public EnclaveMeasurements? Measurements { get; init; }

    /// <summary>The last health check.</summary>
    public EnclaveHealth? Health { get; init; }

    /// <summary>The last moves of the state, oldest first.</summary>
    public IReadOnlyList<EnclaveMove?>? Transitions { get; init; }

    /// <summary>The plugins.</summary>
    public IReadOnlyList<PluginStatus?>? Containers { get; init; }

    /// <summary>Reads a reply.</summary>
    /// <exception cref="JsonException">It is not such a document.</exception>
    public static EnclaveStatus Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, EnclaveStatusJson.Default.EnclaveStatus) ?? throw new JsonException("null, an object is required");
}

/// <summary>The last health check of an enclave.</summary>
internal sealed record EnclaveHealth(bool Healthy, string? Reason, string? Message, DateTimeOffset? At = null);

/// <summary>An enclave as its driver names it.</summary>
internal sealed record EnclaveIdentity
{
    public string? Id { get; init; }
    public uint? Cid { get; init; }
    public int? CpuCount { get; init; }
    public int? MemoryMib { get; init; }
}

/// <summary>Registers of an enclave in hexadecimal; simulated where no Nitro Security Module keeps them.</summary>
internal sealed record EnclaveMeasurements
{
    public string? Pcr0 { get; init; }
    public string? Pcr1 { get; init; }
    public string? Pcr2 { get; init; }
    public string? Pcr8 { get; init; }
    public string? Pcr16 { get; init; }
    public bool Simulated { get; init; }
}

/// <summary>A move of the enclave's state.</summary>
internal sealed record EnclaveMove(string? From, string? To, string? Reason, string? Message);

/// <summary>A plugin inside the enclave.</summary>
internal sealed record PluginStatus
{
    public string? Name { get; init; }
    public string? State { get; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }
    public uint Restarts { get; init; }
    public bool Ready { get; init; }
    public string? Role { get; init; }
    public string? Image { get; init; }
    public string? ImageDigest { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public PluginEnd? LastTermination { get; init; }
}

/// <summary>How a plugin ended the last time; the message says why the Orchestrator ended it.</summary>
internal sealed record PluginEnd(int ExitCode, string? Reason, string? Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 16)]
[JsonSerializable(typeof(EnclaveStatus))]
internal sealed partial class EnclaveStatusJson : JsonSerializerContext;
