using System.Globalization;
using Enclaves.Reconciler.Certificates;
using Shouldly;
using Xunit;
using static Enclaves.Tests.Unit.Reconciler.Certificates.Certificates;

namespace Enclaves.Tests.Unit.Reconciler.Certificates;

/// <summary>
/// Hundreds of hours of renewals in which the process is away for a while now and then, API servers learn late of what they shall trust,
/// kubelets bring certificates late into pods, and the Secret is lost. Whatever is served is accepted by every API server at every moment.
/// </summary>
public sealed class RotationSimulationTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMinutes(5);

    private readonly List<(DateTimeOffset At, string Bundle)> _trusted = [];
    private readonly List<(DateTimeOffset At, string Certificate)> _issued = [];
    private CertificateState _state = new();
    private string _carried = "";
    private DateTimeOffset _since;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Everything_that_is_served_is_accepted(int seed)
    {
        var random = new Random(seed);
        var away = Start;
        var seen = ("", "");
        var authorities = new HashSet<string>();
        Passes(Start);
        for (var now = Start + Tick; now < Start.AddHours(300); now += Tick)
        {
            // Together with the kubelet's delay within the third of a life that is kept for such things.
            if (now > away.AddHours(1) && random.Next(50) == 0)
                away = now.AddMinutes(random.Next(90));
            if (random.Next(1500) == 0)
                _state = new CertificateState();
            // The process may end between any two steps.
            if (now >= away)
                Passes(now, random.Next(4) == 0 ? 1 : 8);
            if (_state.Authority is { } authority)
                authorities.Add(authority.Certificate);
            var served = Seen(_issued, now.AddMinutes(-random.Next(120)));
            var trusted = Seen(_trusted, now.AddMinutes(-random.Next(25)));
            // Building a chain is what takes the time: the same two are looked at again once an hour.
            if ((served, trusted) != seen || now.Minute == 0)
                IsAccepted(served, trusted, now).ShouldBeTrue(string.Create(CultureInfo.InvariantCulture, $"at {now - Start}, seed {seed}"));
            seen = (served, trusted);
        }

        authorities.Count.ShouldBeGreaterThan(8, "an authority lives for 40 hours");
        _state.PreviousAuthorities.Count.ShouldBeLessThan(8);
    }

    // What was so at a time, or the first there ever was.
    private static string Seen(List<(DateTimeOffset At, string Text)> history, DateTimeOffset when) =>
        history.FindLast(entry => entry.At <= when) is { Text: { } text } ? text : history[0].Text;

    private void Passes(DateTimeOffset now, int steps = 8)
    {
        for (var i = 0; i < steps; i++)
        {
            var trust = Publish(_state.Bundle, now);
            if (RotationPolicy.Next(_state, trust, Settings, now) is not { } step)
                return;
            _state = step.State;
            if (_state.Leaf is { } leaf && (_issued.Count == 0 || _issued[^1].Certificate != leaf.Certificate))
                _issued.Add((now, leaf.Certificate));
        }
    }

    private TrustObserved Publish(string bundle, DateTimeOffset now)
    {
        var before = _trusted.Count == 0 ? "" : _trusted[^1].Bundle;
        if (bundle.Length > 0 && bundle != before)
            _trusted.Add((now, bundle));
        if (bundle != _carried || bundle != before)
            (_carried, _since) = (bundle, now);
        return new TrustObserved(TrustedAuthorities.Read(before, now), bundle.Length > 0, bundle.Length > 0 && now - _since >= Settings.Settle);
    }
}
