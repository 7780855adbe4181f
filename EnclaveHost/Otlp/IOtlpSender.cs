using Enclaves.EnclaveHost.Otlp.V1;

namespace Enclaves.EnclaveHost.Otlp;

/// <summary>What a collector has made of a request.</summary>
/// <param name="Rejected">Records that it did not take, of a request that it took.</param>
/// <param name="Problem">Why not all of it was taken; empty where all was.</param>
/// <param name="MayRetry">The same request may be taken later.</param>
/// <param name="After">How long the collector wants to be left alone; zero where it does not say.</param>
internal readonly record struct OtlpAnswer(long Rejected, string Problem, bool MayRetry, TimeSpan After)
{
    public static OtlpAnswer Of(ExportLogsServiceResponse response) =>
        new(Math.Max(0, response.PartialSuccess?.RejectedLogRecords ?? 0), response.PartialSuccess?.ErrorMessage ?? "", MayRetry: false, TimeSpan.Zero);

    public static OtlpAnswer Refused(string problem) => new(0, problem, MayRetry: false, TimeSpan.Zero);

    public static OtlpAnswer Later(string problem, TimeSpan after = default) => new(0, problem, MayRetry: true, after);

    /// <summary>Whether the request was taken, be it in part.</summary>
    public bool Taken => !MayRetry && (Problem.Length == 0 || Rejected > 0);
}

/// <summary>One of the protocols under OTLP. Answers within the time that the token leaves; says what failed rather than throw.</summary>
internal interface IOtlpSender : IDisposable
{
    /// <summary>Hands a request over.</summary>
    Task<OtlpAnswer> SendAsync(ExportLogsServiceRequest request, IReadOnlyList<(string Name, string Value)> headers, CancellationToken cancellation);
}
