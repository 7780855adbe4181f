using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Enclaves.Reconciler.Certificates;

/// <summary>A certificate and its private key, both as PEM.</summary>
internal sealed record CertifiedKey
{
    private CertifiedKey(string certificate, string key, X509Certificate2 loaded) =>
        (Certificate, Key, NotAfter) = (certificate, key, new DateTimeOffset(loaded.NotAfter.ToUniversalTime()));

    /// <summary>The certificate.</summary>
    public string Certificate { get; }

    /// <summary>Its key.</summary>
    public string Key { get; }

    /// <summary>The end of its life.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>A pair that was just made.</summary>
    public static CertifiedKey Of(X509Certificate2 certificate, ECDsa key) =>
        new(TrustedAuthorities.Pem(certificate), key.ExportPkcs8PrivateKeyPem() + "\n", certificate);

    /// <summary>A pair that was kept, or null where there is none: parts are absent, cannot be read, or do not belong together.</summary>
    public static CertifiedKey? Read(string? certificate, string? key)
    {
        if (string.IsNullOrEmpty(certificate) || string.IsNullOrEmpty(key))
            return null;
        try
        {
            using var loaded = X509Certificate2.CreateFromPem(certificate, key);
            return new CertifiedKey(certificate, key, loaded);
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException)
        {
            // Nothing can be done with it but to make another one, which the caller does and tells of.
            return null;
        }
    }

    /// <summary>The certificate together with its key; whoever asks disposes it.</summary>
    public X509Certificate2 Load() => X509Certificate2.CreateFromPem(Certificate, Key);
}
