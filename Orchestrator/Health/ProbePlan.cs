using Enclaves.Channel.Manifest;

namespace Enclaves.Orchestrator.Health;

/// <summary>One way of asking a container. Bounded by the token; the caller has the deadline.</summary>
internal interface IProbeAsk
{
    /// <summary>Looks once. Throws nothing but the token's own exception.</summary>
    Task<ProbeResult> AskAsync(TimeSpan timeout, CancellationToken cancellation);
}

/// <summary>When a probe looks and what counts.</summary>
internal sealed record ProbePlan
{
    // A kubelet notices a start by its list of containers, which it reads once a second: no look comes sooner.
    private static readonly TimeSpan SoonestLook = TimeSpan.FromSeconds(1);

    /// <summary>From the container's start to the first look.</summary>
    public required TimeSpan FirstLook { get; init; }

    /// <summary>From look to look.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>
    /// Wait after the first look that finds nobody, doubled after each further one up to <see cref="LongestRetry"/>; zero for the period
    /// as always. For looks that nobody has asked for in so many words, and which are to find a start at once.
    /// </summary>
    public TimeSpan FirstRetry { get; init; }

    /// <summary>Longest wait between looks that find nobody.</summary>
    public TimeSpan LongestRetry { get; init; }

    /// <summary>How long a look may take.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Successes in a row that count.</summary>
    public required int SuccessThreshold { get; init; }

    /// <summary>Failures in a row that count.</summary>
    public required int FailureThreshold { get; init; }

    /// <summary>The plan of a probe in the manifest.</summary>
    public static ProbePlan Of(ManifestProbe probe)
    {
        var delay = TimeSpan.FromSeconds(probe.InitialDelaySeconds);
        return new ProbePlan
        {
            FirstLook = delay > SoonestLook ? delay : SoonestLook,
            Period = TimeSpan.FromSeconds(probe.PeriodSeconds),
            Timeout = TimeSpan.FromSeconds(probe.TimeoutSeconds),
            SuccessThreshold = probe.SuccessThreshold,
            FailureThreshold = probe.FailureThreshold,
        };
    }

    /// <summary>
    /// The plan for exposed ports of a container without a readiness probe: quick until somebody listens, calm from then on. Three looks in
    /// a row that find nobody make it not ready, as a kubelet's default is.
    /// </summary>
    public static ProbePlan Ports { get; } = new()
    {
        FirstLook = TimeSpan.FromMilliseconds(5),
        FirstRetry = TimeSpan.FromMilliseconds(10),
        LongestRetry = TimeSpan.FromMilliseconds(500),
        Period = TimeSpan.FromSeconds(5),
        Timeout = TimeSpan.FromSeconds(1),
        SuccessThreshold = 1,
        FailureThreshold = 3,
    };
}
