namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>An enclave pod, and what its EnclaveHost says of its enclave; what only EnclaveHost knows is absent while it does not answer.</summary>
internal sealed record EnclaveRow
{
    /// <summary>The pod.</summary>
    public required string Pod { get; init; }

    /// <summary>Its node; absent while it has none.</summary>
    public string? Node { get; init; }

    /// <summary>The pod's phase: Pending, Running, Succeeded, Failed or Unknown.</summary>
    public required string Phase { get; init; }

    /// <summary>Whether it gets traffic.</summary>
    public required bool Ready { get; init; }

    /// <summary>When the pod was created.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>How often EnclaveHost itself was started again.</summary>
    public required int HostRestarts { get; init; }

    /// <summary>Whether it was made for the manifest that the NitroEnclaveDeployment has now.</summary>
    public required bool UpToDate { get; init; }

    /// <summary>The enclave's state: Starting, Booting, Booted, ManifestSynced, Running, Unhealthy, Stopping, Stopped or Failed.</summary>
    public string? State { get; init; }

    /// <summary>Since when.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>What boots it: nitro, qemu or process.</summary>
    public string? Driver { get; init; }

    /// <summary>Whether its memory is kept from the node. Only Nitro Enclaves are confidential.</summary>
    public bool? Confidential { get; init; }

    /// <summary>The enclave's id, as its driver names it.</summary>
    public string? EnclaveId { get; init; }

    /// <summary>Its context id on vsock.</summary>
    public uint? Cid { get; init; }

    /// <summary>Its CPUs.</summary>
    public int? CpuCount { get; init; }

    /// <summary>Its memory in MiB.</summary>
    public int? MemoryMib { get; init; }

    /// <summary>How often it was booted in the life of EnclaveHost.</summary>
    public int? Boots { get; init; }

    /// <summary>SHA-384 of the manifest that it has sealed.</summary>
    public string? ManifestDigest { get; init; }

    /// <summary>Its registers; simulated ones prove nothing.</summary>
    public EnclaveRegisters? Measurements { get; init; }

    /// <summary>The last health check.</summary>
    public EnclaveCheck? Health { get; init; }

    /// <summary>Its plugins.</summary>
    public required IReadOnlyList<EnclaveContainer> Containers { get; init; }

    /// <summary>When EnclaveHost was asked; absent where there is no address to ask.</summary>
    public DateTimeOffset? AskedAt { get; init; }

    /// <summary>Why EnclaveHost gave no answer that can be used; absent where it did.</summary>
    public string? NoAnswer { get; init; }
}

/// <summary>Registers of an enclave, in hexadecimal.</summary>
internal sealed record EnclaveRegisters(string? Pcr0, string? Pcr1, string? Pcr2, string? Pcr8, string? Pcr16, bool Simulated);

/// <summary>A health check of an enclave.</summary>
internal sealed record EnclaveCheck(DateTimeOffset? At, bool Healthy, string? Reason, string? Message);

/// <summary>A plugin inside an enclave.</summary>
internal sealed record EnclaveContainer
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>user, auth, logging or telemetry.</summary>
    public string? Role { get; init; }

    /// <summary>Waiting, Running or Terminated.</summary>
    public string? State { get; init; }

    /// <summary>One word on why.</summary>
    public string? Reason { get; init; }

    /// <summary>A sentence on why.</summary>
    public string? Message { get; init; }

    /// <summary>Whether it is ready.</summary>
    public required bool Ready { get; init; }

    /// <summary>How often it was started again since the enclave was booted.</summary>
    public required uint Restarts { get; init; }

    /// <summary>Its image.</summary>
    public string? Image { get; init; }

    /// <summary>The image by digest, as it was pulled.</summary>
    public string? ImageDigest { get; init; }

    /// <summary>When it was started.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>How it ended the last time.</summary>
    public ContainerEnd? LastEnd { get; init; }
}

/// <summary>How a plugin ended.</summary>
internal sealed record ContainerEnd(int ExitCode, string? Reason, string? Message);
