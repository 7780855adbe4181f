using System.Text;
using System.Text.Json;
using Enclaves.Webhook.Review;
using Enclaves.Webhook.Serving;

namespace Enclaves.Tests.Unit.Webhook.Fuzz;

/// <summary>
/// Sends mutated reviews through all that an endpoint does besides HTTP. What may come of one is a decision, whose answer and patch are
/// JSON, or the two exceptions that the endpoint answers with 400. Anything else would be a 5xx that is our fault.
/// </summary>
internal static class AdmissionFuzz
{
    private const int ShownBytes = 6000;

    private static readonly IReadOnlyList<(AdmissionPoint Point, JsonDocument Review)> Starts =
        [.. FuzzCorpus.Reviews.Select(start => (start.Point, JsonDocument.Parse(start.Review)))];

    /// <summary>Runs one case, which is the same whenever and wherever it is run.</summary>
    /// <returns>What came of it; a failure says how to run it again.</returns>
    public static (FuzzOutcome Outcome, string? Failure) Run(int seed, int number)
    {
        var (point, start) = Starts[number % Starts.Count];
        var body = ReviewMutator.Mutate(start.RootElement, new Random(HashOf(seed, number)));
        try
        {
            return (Outcome(point, body), null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var shown = Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, ShownBytes)));
            return (FuzzOutcome.Failed, $"seed {seed}, case {number}, {point.Path}: {e}\nbody: {shown}");
        }
    }

    private static FuzzOutcome Outcome(AdmissionPoint point, byte[] body)
    {
        AdmissionRequest request;
        AdmissionDecision decision;
        ReadOnlyMemory<byte> answer;
        try
        {
            // A stream in memory is read without waiting.
            using var review = AdmissionReviewReader.Parse(new MemoryStream(body), CancellationToken.None).GetAwaiter().GetResult();
            (request, decision) = point.Answer(review);
            answer = AdmissionReviewWriter.Decision(request, decision);
        }
        catch (JsonException)
        {
            return FuzzOutcome.NotJson;
        }
        catch (MalformedReviewException)
        {
            return FuzzOutcome.Malformed;
        }

        Check(request, decision, answer);
        return !decision.Allowed ? FuzzOutcome.Denied : decision.Patch is null ? FuzzOutcome.Allowed : FuzzOutcome.Changed;
    }

    private static void Check(AdmissionRequest request, AdmissionDecision decision, ReadOnlyMemory<byte> answer)
    {
        using var written = JsonDocument.Parse(answer);
        var response = written.RootElement.GetProperty("response");
        if (response.GetProperty("uid").GetString() != request.Uid || response.GetProperty("allowed").GetBoolean() != decision.Allowed)
            throw new InvalidDataException($"the answer is about something else: {Encoding.UTF8.GetString(answer.Span)}");
        if (decision is { Allowed: false, Causes.Count: 0 })
            throw new InvalidDataException("a denial without a cause");
        if (!response.TryGetProperty("patch", out var patch))
            return;
        using var operations = JsonDocument.Parse(patch.GetBytesFromBase64(), AdmissionReviewReader.DocumentOptions);
        if (operations.RootElement.GetArrayLength() == 0)
            throw new InvalidDataException("a patch without an operation");
    }

    // Of neighbouring seeds Random gives neighbouring first numbers.
    private static int HashOf(int seed, int number) => unchecked((int)((((uint)seed * 0x9E3779B1) + (uint)number) * 0x85EBCA6B));
}

/// <summary>What came of a case.</summary>
internal enum FuzzOutcome
{
    Allowed,
    Changed,
    Denied,
    Malformed,
    NotJson,
    Failed,
}
