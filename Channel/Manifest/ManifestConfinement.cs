using System.Text.Json.Serialization;

namespace Enclaves.Channel.Manifest;

/// <summary>The most that a container may use; at least one of them is given.</summary>
public sealed record ManifestResources
{
    /// <summary>Processor time, in thousandths of a processor.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? CpuMillis { get; init; }

    /// <summary>Memory in bytes; a process that needs more is killed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MemoryBytes { get; init; }
}

/// <summary>
/// User and privileges of a container. What is not given is as for every container: the image's user, no capability at all, no new
/// privileges, the container runtime's seccomp profile. At least one of them is given.
/// </summary>
public sealed record ManifestSecurity
{
    /// <summary>User id, 0 to 2^31 - 1; null for the image's own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? RunAsUser { get; init; }

    /// <summary>Group id, 0 to 2^31 - 1; null for the image's own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? RunAsGroup { get; init; }

    /// <summary>Whether the container cannot write to its root file system.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ReadOnlyRootFilesystem { get; init; }

    /// <summary>Capabilities that it has, without CAP_ before them, or ALL; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? AddCapabilities { get; init; }

    /// <summary>Capabilities that it does not have in spite of ALL; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? DropCapabilities { get; init; }
}
