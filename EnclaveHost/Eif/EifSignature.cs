using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Security.Cryptography.Cose;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>
/// The signature section: in CBOR, a list of maps with a certificate (PEM) and a COSE_Sign1 message over one register. Only the first is looked
/// at, which is that of register 0, as the Nitro tools do.
/// </summary>
internal sealed class EifSignature
{
    private readonly byte[] _message;

    private EifSignature(X509Certificate2 certificate, byte[] message)
    {
        Certificate = certificate;
        _message = message;
    }

    /// <summary>The signing certificate. Whether it is to be trusted is for somebody else to know.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Reads a section; the signature itself is not verified yet.</summary>
    /// <exception cref="EifException">It is not what the format says.</exception>
    public static EifSignature Read(byte[] section, string file)
    {
        try
        {
            var (certificate, message) = EifSignatureCbor.ReadFirst(section);
            return new EifSignature(X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(certificate)), message);
        }
        catch (Exception e) when (EifSignatureCbor.IsMalformed(e) || e is CryptographicException)
        {
            throw new EifException(file, $"its signature section cannot be read: {e.Message}", "sign it again", e);
        }
    }

    /// <summary>Makes a section: the signature of register 0, by ECDSA on P-384 with SHA-384 (ES384).</summary>
    /// <exception cref="EifException">Certificate or key are not of that kind, or not of each other.</exception>
    public static byte[] Sign(byte[] pcr0, EifSigner signer)
    {
        var message = CoseSign1Message.SignEmbedded(EifSignatureCbor.Payload(pcr0), new CoseSigner(signer.Key, HashAlgorithmName.SHA384));
        // Without the tag that says what it is, as the Nitro tools write it.
        return EifSignatureCbor.Write(signer.CertificatePem, message.AsSpan(1));
    }

    /// <summary>Null when the certificate's key has signed this register 0; else why that cannot be said.</summary>
    public string? Problem(ReadOnlySpan<byte> pcr0)
    {
        try
        {
            using var key = Certificate.GetECDsaPublicKey();
            if (key is null)
                return "its certificate has no key for ECDSA";
            var message = CoseMessage.DecodeSign1(_message);
            if (!message.VerifyEmbedded(key))
                return "it was not made with the key of its certificate, or was changed afterwards";
            return message.Content is { } payload && payload.Span.SequenceEqual(EifSignatureCbor.Payload(pcr0))
                ? null
                : "it is the signature of another image: the register that it signs is not this image's register 0";
        }
        catch (Exception e) when (e is CryptographicException or InvalidOperationException)
        {
            return $"it is no COSE_Sign1 message that can be verified: {e.Message}";
        }
    }
}
