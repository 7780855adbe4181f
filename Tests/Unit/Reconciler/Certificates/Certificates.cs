using System.Security.Cryptography.X509Certificates;
using Enclaves.Reconciler.Certificates;

namespace Enclaves.Tests.Unit.Reconciler.Certificates;

/// <summary>What the tests of certificates share.</summary>
internal static class Certificates
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static CertificateSettings Settings { get; } = new()
    {
        Namespace = "enclaves-system",
        Secret = "enclaves-webhook-tls",
        Service = "enclaves-webhook",
        Configuration = "enclaves",
        AuthorityLife = TimeSpan.FromHours(40),
        LeafLife = TimeSpan.FromHours(10),
        Settle = TimeSpan.FromMinutes(30),
    };

    /// <summary>Nothing is trusted by any webhook configuration, or there is none.</summary>
    public static TrustObserved NoTrust { get; } = new([], Carried: true, Settled: false);

    /// <summary>A state with an authority and a certificate.</summary>
    public static CertificateState InUse(DateTimeOffset now)
    {
        var authority = CertificateIssuer.NewAuthority(Settings, now);
        return new CertificateState { Authority = authority, Leaf = CertificateIssuer.NewLeaf(authority, Settings, now) };
    }

    /// <summary>Whether a client that trusts this bundle would accept this certificate at this time, as an API server does.</summary>
    public static bool IsAccepted(string leaf, string bundle, DateTimeOffset now)
    {
        using var certificate = X509Certificate2.CreateFromPem(leaf);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(bundle);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new("1.3.6.1.5.5.7.3.1"));
        return chain.Build(certificate) && certificate.MatchesHostname("enclaves-webhook.enclaves-system.svc", allowCommonName: false);
    }
}
