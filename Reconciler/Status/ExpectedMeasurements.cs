using Enclaves.Api;
using Enclaves.Channel;

namespace Enclaves.Reconciler.Status;

/// <summary>What a client of a NED's enclaves should see attested.</summary>
/// <param name="ManifestDigest">SHA-384 of the canonical manifest in hexadecimal.</param>
/// <param name="Registers">By name such as PCR0, in hexadecimal; null where nothing can be expected: an enclave in debug mode attests zeros.</param>
internal sealed record ExpectedMeasurements(string ManifestDigest, IReadOnlyDictionary<string, string>? Registers)
{
    /// <summary>The register that the Orchestrator extends by the manifest's digest, and locks, before it starts anything.</summary>
    public const string ManifestRegister = "PCR16";

    /// <summary>The registers of the NED's image, where they are known, and of its manifest.</summary>
    public static ExpectedMeasurements Of(EnclaveSpec? enclave, string manifestDigest, EnclaveImages images)
    {
        if (enclave?.DebugMode == true)
            return new ExpectedMeasurements(manifestDigest, null);
        var registers = images.RegistersOf(enclave?.Image);
        registers[ManifestRegister] = Convert.ToHexStringLower(PlatformRegister.ExtendedOnce(Convert.FromHexString(manifestDigest)));
        return new ExpectedMeasurements(manifestDigest, registers);
    }
}
