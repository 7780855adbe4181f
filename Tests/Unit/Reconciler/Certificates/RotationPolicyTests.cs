using Enclaves.Reconciler.Certificates;
using Shouldly;
using Xunit;
using static Enclaves.Tests.Unit.Reconciler.Certificates.Certificates;

namespace Enclaves.Tests.Unit.Reconciler.Certificates;

public sealed class RotationPolicyTests
{
    [Fact]
    public void From_nothing_to_a_certificate_without_a_wait()
    {
        var begun = Step(new CertificateState(), NoTrust, Start);
        begun.NextAuthority.ShouldNotBeNull();
        begun.Leaf.ShouldBeNull("nobody trusts it yet");
        var taken = Step(begun, NoTrust, Start);
        taken.NextAuthority.ShouldBeNull();
        IsAccepted(taken.Leaf!.Certificate, taken.Bundle, Start).ShouldBeTrue();
        RotationPolicy.Next(taken, NoTrust, Settings, Start).ShouldBeNull();
    }

    [Fact]
    public void The_certificate_is_renewed_in_the_last_third_of_its_life_by_the_same_authority()
    {
        var state = InUse(Start);
        RotationPolicy.Next(state, NoTrust, Settings, Start.AddHours(6.5)).ShouldBeNull();
        var renewed = Step(state, NoTrust, Start.AddHours(7));
        renewed.Authority.ShouldBe(state.Authority);
        renewed.Leaf!.NotAfter.ShouldBe(Start.AddHours(17));
    }

    [Fact]
    public void A_new_authority_signs_nothing_before_it_is_trusted_everywhere_and_for_long_enough()
    {
        var state = InUse(Start) with { IsRotationAsked = true };
        var begun = Step(state, NoTrust, Start);
        begun.Leaf.ShouldBe(state.Leaf);
        begun.Bundle.ShouldContain(state.Authority!.Certificate);
        begun.Bundle.ShouldContain(begun.NextAuthority!.Certificate);
        RotationPolicy.Next(begun, new TrustObserved([], Carried: false, Settled: false), Settings, Start).ShouldBeNull();
        RotationPolicy.Next(begun, new TrustObserved([], Carried: true, Settled: false), Settings, Start).ShouldBeNull();
        var taken = Step(begun, new TrustObserved([], Carried: true, Settled: true), Start);
        taken.Authority.ShouldBe(begun.NextAuthority);
        taken.IsRotationAsked.ShouldBeFalse();
        IsAccepted(taken.Leaf!.Certificate, taken.Authority!.Certificate, Start).ShouldBeTrue();
        IsAccepted(state.Leaf!.Certificate, taken.Bundle, Start).ShouldBeTrue("pods still serve it");
    }

    [Fact]
    public void The_authority_before_is_trusted_until_the_end_of_what_it_has_signed()
    {
        var state = InUse(Start) with { IsRotationAsked = true };
        var settled = new TrustObserved([], Carried: true, Settled: true);
        var taken = Step(Step(state, settled, Start), settled, Start.AddHours(1));
        taken.PreviousUntil.ShouldBe(state.Leaf!.NotAfter);
        RotationPolicy.Next(taken with { Leaf = CertificateIssuer.NewLeaf(taken.Authority!, Settings, Start.AddHours(9)) }, settled, Settings, Start.AddHours(9.9)).ShouldBeNull();
        Step(taken with { Leaf = CertificateIssuer.NewLeaf(taken.Authority!, Settings, Start.AddHours(9)) }, settled, Start.AddHours(10)).PreviousAuthorities.ShouldBeEmpty();
    }

    [Fact]
    public void The_authority_before_goes_at_once_where_an_earlier_time_was_set()
    {
        var state = InUse(Start) with { PreviousAuthorities = [CertificateIssuer.NewAuthority(Settings, Start.AddHours(-1)).Certificate], PreviousUntil = Start.AddDays(-1) };
        Step(state, NoTrust, Start).PreviousAuthorities.ShouldBeEmpty();
    }

    [Fact]
    public void After_the_secret_was_lost_what_is_trusted_stays_trusted()
    {
        var lost = InUse(Start.AddHours(-1));
        var trust = new TrustObserved([lost.Authority!.Certificate], Carried: true, Settled: false);
        var begun = Step(new CertificateState(), trust, Start);
        IsAccepted(lost.Leaf!.Certificate, begun.Bundle, Start).ShouldBeTrue("pods still serve it");
        RotationPolicy.Next(begun, trust, Settings, Start).ShouldBeNull("the new authority is not yet trusted for long enough");
        var taken = Step(begun, trust with { Settled = true }, Start.AddHours(1));
        IsAccepted(lost.Leaf!.Certificate, taken.Bundle, Start.AddHours(1)).ShouldBeTrue();
        taken.PreviousUntil.ShouldBe(Start + Settings.LeafLife);
    }

    [Fact]
    public void A_certificate_for_another_service_is_replaced()
    {
        var state = InUse(Start);
        var other = CertificateIssuer.NewLeaf(state.Authority!, Settings with { Service = "renamed" }, Start);
        Step(state with { Leaf = other }, NoTrust, Start).Leaf!.Certificate.ShouldNotBe(other.Certificate);
    }

    [Fact]
    public void A_certificate_of_another_authority_is_replaced()
    {
        var state = InUse(Start);
        Step(state with { Leaf = InUse(Start).Leaf }, NoTrust, Start).Leaf!.Certificate.ShouldNotBe(state.Leaf!.Certificate);
    }

    private static CertificateState Step(CertificateState state, TrustObserved trust, DateTimeOffset now) =>
        RotationPolicy.Next(state, trust, Settings, now).ShouldNotBeNull().State;
}
