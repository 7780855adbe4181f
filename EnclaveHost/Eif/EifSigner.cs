using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>A certificate and the private key to it: what an image is signed with.</summary>
internal sealed class EifSigner : IDisposable
{
    private const int KeySize = 384;

    // secp384r1
    private const string P384 = "1.3.132.0.34";

    private EifSigner(byte[] certificatePem, byte[] certificate, ECDsa key)
    {
        CertificatePem = certificatePem;
        Certificate = certificate;
        Key = key;
    }

    /// <summary>As it is in its file, which goes into the image.</summary>
    public byte[] CertificatePem { get; }

    /// <summary>In DER form, which is measured.</summary>
    public byte[] Certificate { get; }

    public ECDsa Key { get; }

    /// <summary>Reads both from PEM files.</summary>
    /// <exception cref="EifException">They cannot be read, or an image cannot be signed with them.</exception>
    public static EifSigner Load(string certificatePath, string keyPath)
    {
        var pem = ReadText(certificatePath);
        using var certificate = ReadCertificate(pem, certificatePath);
        using var known = certificate.GetECDsaPublicKey();
        var key = ReadKey(keyPath);
        try
        {
            if (known is null || known.KeySize != KeySize)
                throw new EifException(certificatePath, "its key is not one for ECDSA on P-384", "make key and certificate as docs/eif.md shows");
            if (key.KeySize != KeySize || key.ExportParameters(false).Curve.Oid.Value != P384)
                throw new EifException(keyPath, "is no key on the curve P-384 (secp384r1)", "make one as docs/eif.md shows");
            if (!known.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
                throw new EifException(keyPath, $"is not the key of the certificate {certificatePath}", "name files that belong together");
            return new EifSigner(System.Text.Encoding.ASCII.GetBytes(pem), certificate.RawData, key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Reads the first certificate of a PEM file.</summary>
    /// <exception cref="EifException">There is none.</exception>
    public static X509Certificate2 ReadCertificate(string path) => ReadCertificate(ReadText(path), path);

    public void Dispose() => Key.Dispose();

    private static X509Certificate2 ReadCertificate(string pem, string path)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new EifException(path, $"is no certificate in PEM form: {e.Message}", "name the file that starts with -----BEGIN CERTIFICATE-----", e);
        }
    }

    private static ECDsa ReadKey(string path)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(ReadText(path));
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new EifException(path, $"is no private key for ECDSA in PEM form without a password: {e.Message}", "make one as docs/eif.md shows", e);
        }
    }

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EifException(path, $"cannot be read: {e.Message}", "name a file that is there and readable", e);
        }
    }
}
