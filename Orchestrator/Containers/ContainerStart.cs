using Enclaves.Channel.Manifest;

namespace Enclaves.Orchestrator.Containers;

/// <summary>One start of a container, with everything that it needs from outside its spec. Holds values of Secrets: never part of a message.</summary>
/// <param name="Container">Its spec.</param>
/// <param name="Variables">Its environment, plain values and those out of Secrets, in order; later ones win.</param>
/// <param name="Mounts">The folders and files that it sees.</param>
internal sealed record ContainerStart(
    ManifestContainer Container, IReadOnlyList<KeyValuePair<string, string>> Variables, IReadOnlyList<ContainerMount> Mounts)
{
    /// <inheritdoc/>
    public override string ToString() => $"start of {Container.Name}";
}

/// <summary>A folder or file of the enclave that a container sees.</summary>
/// <param name="Source">Its path in the enclave.</param>
/// <param name="Target">Its path in the container.</param>
/// <param name="ReadOnly">Whether the container cannot write to it.</param>
internal sealed record ContainerMount(string Source, string Target, bool ReadOnly);
