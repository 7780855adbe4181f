namespace Enclaves.Reconciler.Certificates;

/// <summary>What the webhook configurations trust, as far as a decision depends on it.</summary>
/// <param name="Authorities">Every authority that one of them trusts and that is not past its life.</param>
/// <param name="Carried">Whether all of them trust the next authority now.</param>
/// <param name="Settled">Whether they have for long enough.</param>
internal sealed record TrustObserved(IReadOnlyList<string> Authorities, bool Carried, bool Settled);

/// <summary>One change of the state, and what it is for.</summary>
internal sealed record RotationStep(CertificateState State, string What);

/// <summary>
/// Decides how certificates go on: a pure function of what the Secret holds, of what is trusted, and of the time. Every change of authority
/// overlaps: the next one is trusted everywhere before anything signed by it is served, and the one before is trusted until everything
/// signed by it is past its life. At each point in between the process may end; the next one goes on from the Secret.
/// </summary>
internal static class RotationPolicy
{
    /// <summary>The next change, or null when nothing is to be done now.</summary>
    public static RotationStep? Next(CertificateState state, TrustObserved trust, CertificateSettings settings, DateTimeOffset now) =>
        BeginAuthority(state, trust, settings, now)
        ?? TakeAuthority(state, trust, settings, now)
        ?? RenewLeaf(state, settings, now)
        ?? DropPrevious(state, now);

    private static RotationStep? BeginAuthority(CertificateState state, TrustObserved trust, CertificateSettings settings, DateTimeOffset now)
    {
        if (state.NextAuthority is not null)
            return null;
        if (state.Authority is { } authority)
        {
            if (!state.IsRotationAsked && !CertificateSettings.IsDue(authority, settings.AuthorityLife, now))
                return null;
            var next = state with { NextAuthority = CertificateIssuer.NewAuthority(settings, now) };
            return new(next, state.IsRotationAsked ? $"made a new authority, as {CertificateSecret.RotateAnnotation} asks" : "made a new authority: the last third of its life has begun");
        }

        // A Secret that was lost or damaged: the Webhook may be serving what an authority has signed that only the configurations still know.
        var orphans = trust.Authorities.Except(state.PreviousAuthorities, StringComparer.Ordinal).ToList();
        return new(state with
        {
            NextAuthority = CertificateIssuer.NewAuthority(settings, now),
            PreviousAuthorities = [.. state.PreviousAuthorities, .. orphans],
            PreviousUntil = orphans.Count > 0 ? now + settings.LeafLife : state.PreviousUntil,
        }, "made a new authority: there was none that can be used");
    }

    private static RotationStep? TakeAuthority(CertificateState state, TrustObserved trust, CertificateSettings settings, DateTimeOffset now)
    {
        if (state.NextAuthority is not { } next || !trust.Carried)
            return null;
        // Where nothing can be in use there is nobody to be careful of, and an installation waits for the certificate.
        var isInUse = state.Leaf is not null || state.PreviousAuthorities.Count > 0;
        if (isInUse && !trust.Settled)
            return null;
        var left = state.Authority is { } authority ? state.PreviousAuthorities.Prepend(authority.Certificate).ToList() : state.PreviousAuthorities;
        return new(state with
        {
            Authority = next,
            NextAuthority = null,
            PreviousAuthorities = left,
            PreviousUntil = Latest(state.PreviousUntil, state.Leaf?.NotAfter),
            Leaf = CertificateIssuer.NewLeaf(next, settings, now),
            IsRotationAsked = false,
        }, "took the new authority and made a certificate with it");
    }

    private static RotationStep? RenewLeaf(CertificateState state, CertificateSettings settings, DateTimeOffset now)
    {
        if (state.Authority is not { } authority)
            return null;
        var reason = state.Leaf is not { } leaf ? "there was none that can be used"
            : CertificateSettings.IsDue(leaf, settings.LeafLife, now) && leaf.NotAfter < authority.NotAfter ? "the last third of its life has begun"
            : !CertificateIssuer.IsFor(leaf, authority, settings) ? $"it was not one for {string.Join(", ", settings.DnsNames)} by this authority"
            : null;
        return reason is null ? null : new(state with { Leaf = CertificateIssuer.NewLeaf(authority, settings, now) }, $"made a new certificate: {reason}");
    }

    // Without a time they stay for as long as they live: one that is trusted too long does less harm than one that is missed.
    private static RotationStep? DropPrevious(CertificateState state, DateTimeOffset now) =>
        state.PreviousAuthorities.Count == 0 || now < (state.PreviousUntil ?? DateTimeOffset.MaxValue)
            ? null
            : new(state with { PreviousAuthorities = [], PreviousUntil = null }, "dropped the authorities before: nothing that they have signed is valid any more");

    private static DateTimeOffset? Latest(DateTimeOffset? one, DateTimeOffset? other) => one is null || other > one ? other : one;
}
