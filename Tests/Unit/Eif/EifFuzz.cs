using System.Buffers.Binary;
using Enclaves.EnclaveHost.Eif;
using Enclaves.Tests.Unit.Boundary;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>
/// Mutated enclave images through the reader, the description and the verification. What may come of one is the reader's own exception; an image that
/// is taken must be the same to a reader that goes from section to section.
/// </summary>
internal sealed class EifFuzz
{
    private readonly byte[][] _starts;

    /// <param name="starts">Images that are in order.</param>
    public EifFuzz(params byte[][] starts) => _starts = starts;

    /// <summary>Images to start from: a plain one, and one with a signature section that reads well and does not hold.</summary>
    public static EifFuzz Create()
    {
        using var folder = new EifFolder();
        var recipe = folder.Recipe("first ramdisk", "second ramdisk");
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=fuzz, O=Tests", key, System.Security.Cryptography.HashAlgorithmName.SHA384);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        folder.File("crt", certificate.ExportCertificatePem());
        folder.File("key", key.ExportPkcs8PrivateKeyPem());
        using var signer = EifSigner.Load(folder.Path("crt"), folder.Path("key"));
        return new EifFuzz(folder.Build(recipe), folder.Build(recipe with { Signer = signer }));
    }

    /// <summary>Runs one case; the same seed gives the same changes.</summary>
    /// <returns>What came of it; a failure says how to run it again.</returns>
    public (string Outcome, string? Failure) Run(int seed, int number)
    {
        var random = new Random(FuzzSeed.Of(seed, number));
        var bytes = Mutate(_starts[random.Next(_starts.Length)], random);
        try
        {
            return (Outcome(bytes), null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ("failed", $"seed {seed}, eif case {number}: {e}\nimage: {Convert.ToHexString(bytes)}");
        }
    }

    // Anywhere, or where the structure is; with a checksum that is right most of the time, or it would keep the rest from being looked at.
    private static byte[] Mutate(byte[] start, Random random)
    {
        var bytes = WireMutator.Mutate(start, random);
        if (bytes.Length < 560)
            return bytes;
        for (var i = random.Next(3); i > 0; i--)
        {
            var at = random.Next(4) == 0 ? 26 + random.Next(64) : random.Next(2) == 0 ? 284 + random.Next(64) : 548 + random.Next(bytes.Length - 548);
            bytes[at] = random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next(8) };
        }

        if (random.Next(4) > 0)
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(544), PublishedEif.Crc32([.. bytes[..544], .. bytes[548..]]));
        return bytes;
    }

    private static string Outcome(byte[] bytes)
    {
        try
        {
            using var image = EifImage.Open(new MemoryStream(bytes), "fuzz");
            var findings = image.Examine();
            var other = new PublishedEif(bytes);
            if ((findings.Measurements.Pcr0, findings.Measurements.Pcr1, findings.Measurements.Pcr2) != (other.Pcr0, other.Pcr1, other.Pcr2))
                throw new InvalidDataException("the independent reader measures something else");
            if ((findings.Crc == image.Header.Crc) != other.CrcIsRight)
                throw new InvalidDataException("the independent reader has another checksum");
            _ = EifDescription.Of(image);
            EifVerifier.Check(image, findings);
            return "taken";
        }
        catch (EifException e)
        {
            return e.Message.Contains("damaged", StringComparison.Ordinal) ? "damaged" : e.Message.Contains("signature", StringComparison.Ordinal) ? "signature refused" : "refused";
        }
    }
}
