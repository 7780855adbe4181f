using Enclaves.EnclaveHost.Otlp.V1;

namespace Enclaves.EnclaveHost.Otlp;

/// <summary>Whether a collector has taken a request.</summary>
internal enum OtlpOutcome
{
    /// <summary>It has, be it in part.</summary>
    Taken,

    /// <summary>It has not, and will not.</summary>
    Refused,

    /// <summary>It has not, and may later.</summary>
    Later,
}

/// <summary>What a collector has made of a request.</summary>
/// <param name="Outcome">Whether it has taken it.</param>
/// <param name="Rejected">Records that it did not take, of a request that it took.</param>
/// <param name="Problem">Why not all of it was taken; empty where all was.</param>
/// <param name="After">How long the collector wants to be left alone; zero where it does not say.</param>
internal readonly record struct OtlpAnswer(OtlpOutcome Outcome, long Rejected, string Problem, TimeSpan After)
{
    /// <summary>A message without rejected records is a warning: all was taken (OTLP specification, "Partial Success").</summary>
    public static OtlpAnswer Of(ExportLogsServiceResponse response) => response.PartialSuccess is { RejectedLogRecords: > 0 } partial
        ? new(OtlpOutcome.Taken, partial.RejectedLogRecords, $"{partial.RejectedLogRecords} records rejected: {partial.ErrorMessage}", TimeSpan.Zero)
        : new(OtlpOutcome.Taken, 0, "", TimeSpan.Zero);

    public static OtlpAnswer Refused(string problem) => new(OtlpOutcome.Refused, 0, problem, TimeSpan.Zero);

    public static OtlpAnswer Later(string problem, TimeSpan after = default) => new(OtlpOutcome.Later, 0, problem, after);
}

/// <summary>One of the protocols under OTLP. Answers within the time that the token leaves; says what failed rather than throw.</summary>
internal interface IOtlpSender : IDisposable
{
    /// <summary>Hands a request over.</summary>
    Task<OtlpAnswer> SendAsync(ExportLogsServiceRequest request, IReadOnlyList<(string Name, string Value)> headers, CancellationToken cancellation);
}
