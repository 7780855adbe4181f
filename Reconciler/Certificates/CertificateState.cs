namespace Enclaves.Reconciler.Certificates;

/// <summary>What the Secret holds: all that renewal has to remember, so that whoever goes on with it knows where it stands.</summary>
internal sealed record CertificateState
{
    /// <summary>The authority that signs.</summary>
    public CertifiedKey? Authority { get; init; }

    /// <summary>The one that will, as soon as every API server trusts it.</summary>
    public CertifiedKey? NextAuthority { get; init; }

    /// <summary>Authorities that sign no more but are still trusted.</summary>
    public IReadOnlyList<string> PreviousAuthorities { get; init; } = [];

    /// <summary>When nothing can be served any more that they have signed.</summary>
    public DateTimeOffset? PreviousUntil { get; init; }

    /// <summary>What the Webhook serves.</summary>
    public CertifiedKey? Leaf { get; init; }

    /// <summary>Whether somebody has asked for a new authority before its time.</summary>
    public bool IsRotationAsked { get; init; }

    /// <summary>What every webhook configuration shall trust; empty while there is no authority.</summary>
    public string Bundle => string.Concat(
        new[] { Authority?.Certificate, NextAuthority?.Certificate }.OfType<string>().Concat(PreviousAuthorities).Distinct(StringComparer.Ordinal));
}
