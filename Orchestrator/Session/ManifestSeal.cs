using System.Security.Cryptography;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Nsm;

namespace Enclaves.Orchestrator.Session;

/// <summary>How an offered manifest was received.</summary>
internal enum SealResult
{
    /// <summary>It is now the enclave's.</summary>
    Sealed,

    /// <summary>It has been the enclave's before.</summary>
    Same,

    /// <summary>The enclave has another one for the rest of its life.</summary>
    Different,
}

/// <summary>
/// The one manifest of an enclave's life. Its digest is checked and measured before anything of it is started, and the measurement is never
/// extended again: what a client saw attested stays what runs.
/// </summary>
internal sealed class ManifestSeal(IMeasurementRegister register)
{
    private readonly Lock _lock = new();

    /// <summary>Whether the register is software, and proves nothing.</summary>
    public bool IsSimulated => register.IsSimulated;

    /// <summary>Digest of the sealed manifest, empty before.</summary>
    public byte[] Digest { get; private set; } = [];

    /// <summary>The register after the manifest was measured, empty before.</summary>
    public byte[] Register { get; private set; } = [];

    /// <summary>Offers a manifest.</summary>
    /// <param name="canonical">The bytes as they came.</param>
    /// <param name="expected">Digest that the host says they have.</param>
    /// <param name="manifest">The parsed manifest when it was sealed now.</param>
    /// <exception cref="ManifestException">The digest differs or the manifest does not parse; nothing has changed then.</exception>
    /// <exception cref="NsmException">It could not be measured, and never can be.</exception>
    public SealResult Offer(ReadOnlyMemory<byte> canonical, ReadOnlySpan<byte> expected, out EnclaveManifest? manifest)
    {
        manifest = null;
        var digest = ManifestCodec.Digest(canonical.Span);
        if (!CryptographicOperations.FixedTimeEquals(digest, expected))
            throw new ManifestException(
                $"manifest: its SHA-384 is {Convert.ToHexStringLower(digest)}, announced was {Convert.ToHexStringLower(expected)}");
        var parsed = ManifestCodec.Read(canonical);
        lock (_lock)
        {
            if (Digest.Length > 0)
                return CryptographicOperations.FixedTimeEquals(digest, Digest) ? SealResult.Same : SealResult.Different;
            Register = register.ExtendAndLock(digest);
            Digest = digest;
        }

        manifest = parsed;
        return SealResult.Sealed;
    }
}
