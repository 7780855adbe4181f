using System.Net;

namespace Enclaves.Reconciler.Leadership;

/// <summary>The Lease by which replicas agree on who works: options --lease:namespace and so on. The times are client-go's, but for the shorter retry.</summary>
internal sealed record LeaseSettings
{
    /// <summary>Namespace of the Lease.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Who this replica is; the pod's name unless given.</summary>
    public string Identity { get; init; } = Environment.MachineName;

    /// <summary>Address of this replica's pod, for the others to reach its REST API; empty where they need not.</summary>
    public string Host { get; init; } = "";

    /// <summary>Where that API is, such as https://10.0.0.7:8443; empty where there is none.</summary>
    public string Address { get; private init; } = "";

    /// <summary>The same with the port of this replica's REST API.</summary>
    public LeaseSettings At(int restPort) => Host.Length == 0 ? this : this with { Address = new UriBuilder(Uri.UriSchemeHttps, Host, restPort).Uri.GetLeftPart(UriPartial.Authority) };

    /// <summary>How long a leader that is not heard of stays one.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>When a leader that cannot renew gives up; before the lease is over, so that what it has begun can end.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Pause between two renewals.</summary>
    public TimeSpan RenewInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Pause of a standby between two looks: no longer takes a leader's orderly end to be noticed.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Checks what was given.</summary>
    /// <exception cref="InvalidOperationException">An option is missing, or the times do not fit together.</exception>
    public void Require()
    {
        if (Namespace.Length == 0)
            throw new InvalidOperationException("--lease:namespace: is missing; it is needed beside --lease:name");
        if (Name.Length == 0)
            throw new InvalidOperationException("--lease:name: is missing; it is needed beside --lease:namespace");
        if (Identity.Length == 0)
            throw new InvalidOperationException("--lease:identity: may not be empty");
        if (Host.Length > 0 && !IPAddress.TryParse(Host, out _))
            throw new InvalidOperationException($"--lease:host {Host}: is no address such as 10.0.0.7");
        if (Duration < TimeSpan.FromSeconds(1) || Duration > TimeSpan.FromMinutes(5))
            throw new InvalidOperationException($"--lease:duration {Duration}: allowed are 1 s to 5 min");
        if (RenewDeadline >= Duration || RenewInterval >= RenewDeadline || RenewInterval <= TimeSpan.Zero || Retry <= TimeSpan.Zero)
        {
            throw new InvalidOperationException(
                $"--lease: renewInterval {RenewInterval} must be below renewDeadline {RenewDeadline}, and that below duration {Duration}; none may be zero, nor retry {Retry}");
        }
    }
}
