using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Enclaves.Reconciler.Certificates;

/// <summary>Makes authorities and certificates for the Webhook, all with keys on P-256: handshakes are on the way of every review.</summary>
internal static class CertificateIssuer
{
    private const int SerialBytes = 16;

    /// <summary>A new authority, which may sign servers' certificates and no further authority.</summary>
    public static CertifiedKey NewAuthority(CertificateSettings settings, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // With its date in the name two of them are told apart by people, and by clients that look an issuer up by its name.
        var name = string.Create(CultureInfo.InvariantCulture, $"CN={settings.Service}-ca-{now.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}");
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.CreateSelfSigned(now - CertificateSettings.ClockSkew, now + settings.AuthorityLife);
        return CertifiedKey.Of(certificate, key);
    }

    /// <summary>A new certificate for the Webhook; it never outlives its authority.</summary>
    public static CertifiedKey NewLeaf(CertifiedKey authority, CertificateSettings settings, DateTimeOffset now)
    {
        using var issuer = authority.Load();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={settings.Service}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in settings.DnsNames)
            names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "serverAuth")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var end = now + settings.LeafLife;
        var begin = now - CertificateSettings.ClockSkew;
        var issuerBegin = new DateTimeOffset(issuer.NotBefore.ToUniversalTime());
        using var certificate = request.Create(
            issuer, begin < issuerBegin ? issuerBegin : begin, end > authority.NotAfter ? authority.NotAfter : end, RandomNumberGenerator.GetBytes(SerialBytes));
        return CertifiedKey.Of(certificate, key);
    }

    /// <summary>Whether a certificate was signed by this authority and is for all of the Service's names. Its time is not looked at.</summary>
    public static bool IsFor(CertifiedKey leaf, CertifiedKey authority, CertificateSettings settings)
    {
        using var certificate = X509Certificate2.CreateFromPem(leaf.Certificate);
        using var issuer = X509Certificate2.CreateFromPem(authority.Certificate);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(issuer);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate) && settings.DnsNames.All(name => certificate.MatchesHostname(name, allowWildcards: false, allowCommonName: false));
    }
}
