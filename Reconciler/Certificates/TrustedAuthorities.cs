using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Enclaves.Reconciler.Certificates;

/// <summary>Certificates of authorities, one PEM after the other, as a webhook configuration's caBundle has them.</summary>
internal static class TrustedAuthorities
{
    // One signs, one may be about to and a few are on their way out; whatever a bundle has beyond them has no business there.
    private const int Most = 8;

    /// <summary>The authorities of a bundle that are not past their life. One that cannot be read has none: nobody can be trusting it.</summary>
    public static IReadOnlyList<string> Read(string? bundle, DateTimeOffset now)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(bundle);
        }
        catch (CryptographicException)
        {
            return [];
        }

        var valid = new List<string>();
        foreach (var certificate in certificates)
        {
            using (certificate)
            {
                if (now < certificate.NotAfter.ToUniversalTime() && valid.Count < Most)
                    valid.Add(Pem(certificate));
            }
        }

        return valid;
    }

    /// <summary>A certificate as text, always the same for the same certificate.</summary>
    public static string Pem(X509Certificate2 certificate) => certificate.ExportCertificatePem() + "\n";
}
