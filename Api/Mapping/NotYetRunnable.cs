namespace Enclaves.Api;

/// <summary>
/// Fields of the API that this version's enclaves do not have yet. A NED that uses them is valid and is told so; it is not run without them,
/// since what a spec asks for must never be left out in silence.
/// </summary>
public static class NotYetRunnable
{
    /// <summary>Paths of the fields that a spec uses, in its order; empty when all of it can be run.</summary>
    public static IReadOnlyList<string> Of(NitroEnclaveDeploymentSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        // A file of the EnclaveHost image is there; nothing pulls an image from a registry before the enclave boots.
        return spec.Enclave?.Image is { } image && !EnclaveImageFile.IsName(image) ? ["spec.enclave.image"] : [];
    }
}
