using System.Text.Json;
using Enclaves.Webhook.Review;
using Enclaves.Webhook.Serving;

namespace Enclaves.Tests.Benchmarks.Admission;

/// <summary>
/// Bytes that the heap gives for one review, from its body to the answer's bytes. In this process, without HTTP: what Kestrel allocates
/// for a request is not ours.
/// </summary>
internal static class Allocations
{
    // Enough for every method to be compiled with optimisation, which removes some allocations.
    private const int WarmUp = 30_000;
    private const int Count = 5_000;

    /// <summary>Measures one point.</summary>
    public static double KilobytesOf(AdmissionPoint point)
    {
        for (var i = 0; i < WarmUp; i++)
            Answer(point);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Count; i++)
            Answer(point);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / 1024.0 / Count;
    }

    private static void Answer(AdmissionPoint point)
    {
        using var review = JsonDocument.Parse(SampleReview.Body, AdmissionReviewReader.DocumentOptions);
        var (request, decision) = point.Answer(review);
        if (!decision.Allowed || decision.Warnings.Count > 0)
            throw new InvalidOperationException($"{point.Path} does not simply allow the sample: {string.Join("; ", decision.Causes)}{string.Join("; ", decision.Warnings)}");
        AdmissionReviewWriter.Decision(request, decision);
    }
}
