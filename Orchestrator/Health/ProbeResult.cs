namespace Enclaves.Orchestrator.Health;

/// <summary>What one look found.</summary>
internal enum ProbeOutcome
{
    /// <summary>The look says nothing about the container: the prober itself had trouble. It does not count.</summary>
    Unknown,

    /// <summary>As it should be.</summary>
    Success,

    /// <summary>Not as it should be.</summary>
    Failure,
}

/// <summary>One look: what was found, and for all but success why, as half a sentence.</summary>
internal readonly record struct ProbeResult(ProbeOutcome Outcome, string Message)
{
    public static readonly ProbeResult Success = new(ProbeOutcome.Success, "");

    public static ProbeResult Failure(string message) => new(ProbeOutcome.Failure, message);

    public static ProbeResult Unknown(string message) => new(ProbeOutcome.Unknown, message);
}
