using System.Globalization;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>Whether an image is in order: what must hold before it is booted.</summary>
internal static class EifVerifier
{
    /// <summary>The checksum is right, and a signature is that of this image by a certificate that is valid now, which is what Nitro asks for.</summary>
    /// <exception cref="EifException">One of these does not hold.</exception>
    public static void Check(EifImage image, EifFindings findings, TimeProvider? time = null)
    {
        CheckCrc(image, findings);
        if (findings.Signature is not { } signature)
            return;
        if (signature.Problem(Convert.FromHexString(findings.Measurements.Pcr0)) is { } problem)
            throw new EifException(image.File, $"its signature is not valid: {problem}", "sign it again, or take the image as it was signed");
        var (now, certificate) = ((time ?? TimeProvider.System).GetUtcNow(), signature.Certificate);
        if (now < certificate.NotBefore.ToUniversalTime() || now > certificate.NotAfter.ToUniversalTime())
        {
            throw new EifException(
                image.File,
                string.Create(CultureInfo.InvariantCulture, $"its signing certificate is valid from {certificate.NotBefore.ToUniversalTime():u} to {certificate.NotAfter.ToUniversalTime():u} only"),
                "sign it again with a valid certificate, or set the clock right");
        }
    }

    /// <summary>The checksum is right.</summary>
    /// <exception cref="EifException">It is not.</exception>
    public static void CheckCrc(EifImage image, EifFindings findings)
    {
        if (findings.Crc != image.Header.Crc)
        {
            throw new EifException(
                image.File,
                string.Create(CultureInfo.InvariantCulture, $"is damaged: its checksum is {image.Header.Crc:x8}, and its content gives {findings.Crc:x8}"));
        }
    }
}
