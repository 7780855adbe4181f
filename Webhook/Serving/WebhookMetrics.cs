using System.Diagnostics.Metrics;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Serving;

/// <summary>
/// What /metrics shows; docs/metrics.md says what each is for. No label ever holds what a user wrote: every set of values is a list in this program.
/// </summary>
internal sealed class WebhookMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string Meter = "Enclaves.Webhook";

    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        // From what a review takes on an idle machine to the longest that an API server waits.
        HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    private static readonly InstrumentAdvice<double> SelfSeconds = new() { HistogramBucketBoundaries = [0.01, 0.1, 1] };

    private readonly Counter<long> _reviews;
    private readonly Counter<long> _denials;
    private readonly Counter<long> _malformed;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _selfReviews;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _selfDuration;

    /// <summary>Creates the instruments.</summary>
    public WebhookMetrics(IMeterFactory factory, ServerCertificate certificate, Draining draining)
    {
        var meter = factory.Create(Meter);
        _reviews = meter.CreateCounter<long>("enclaves_webhook_reviews", null, "Reviews that were decided on, by decision: allowed, changed or denied.");
        _denials = meter.CreateCounter<long>("enclaves_webhook_denials", null, "Denied reviews, once for each kind of rule that refused them.");
        _malformed = meter.CreateCounter<long>("enclaves_webhook_malformed_requests", null, "Requests that were no review, by the HTTP status that they were answered with.");
        _failures = meter.CreateCounter<long>("enclaves_webhook_failures", null, "Requests that a defect of the Webhook left without a decision.");
        _duration = meter.CreateHistogram("enclaves_webhook_review_duration", "s", "From a review's headers to its answer, reading the body included.", advice: Seconds);
        _selfReviews = meter.CreateCounter<long>("enclaves_webhook_self_reviews", null, "Reviews that it sent to itself before it was ready.");
        _selfDuration = meter.CreateHistogram("enclaves_webhook_self_review_duration", "s", "Duration of the reviews that it sent to itself.", advice: SelfSeconds);
        meter.CreateObservableGauge("enclaves_webhook_certificate_expiration_timestamp", () => Expiration(certificate), "s",
            "End of the served certificate's validity, in seconds since 1970; absent while none is served.");
        meter.CreateObservableGauge("enclaves_webhook_draining", () => draining.IsDraining ? 1 : 0, null, "1 while it stops, which is when it still serves but is not ready.");
    }

    /// <summary>Counts a review that was decided on.</summary>
    public void Reviewed(string endpoint, AdmissionRequest request, AdmissionDecision decision, TimeSpan duration)
    {
        _reviews.Add(1, new("endpoint", endpoint), new("operation", request.Operation), new("decision", decision.Name));
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("endpoint", endpoint));
        if (decision.Allowed)
            return;
        foreach (var reason in decision.Causes.Select(cause => cause.Reason).Distinct(StringComparer.Ordinal))
            _denials.Add(1, new("endpoint", endpoint), new("reason", reason));
    }

    /// <summary>
    /// Counts a review of the program's own, apart from users'. It also has compiled what the first user's would else wait for: 9 ms.
    /// </summary>
    public void SelfReviewed(string endpoint, AdmissionRequest request, AdmissionDecision decision, TimeSpan duration)
    {
        _selfReviews.Add(1, new("endpoint", endpoint), new("operation", request.Operation), new("decision", decision.Name));
        _selfDuration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("endpoint", endpoint));
        // Present from the beginning: of a series that begins with its first failure Prometheus sees no increase, and no alert is raised.
        _failures.Add(0, new KeyValuePair<string, object?>("endpoint", endpoint));
    }

    /// <summary>Counts a request that was no review.</summary>
    public void Malformed(string endpoint, int code) => _malformed.Add(1, new("endpoint", endpoint), new("code", code));

    /// <summary>Counts a request that could not be decided on by our fault.</summary>
    public void Failed(string endpoint) => _failures.Add(1, new KeyValuePair<string, object?>("endpoint", endpoint));

    private static IEnumerable<Measurement<long>> Expiration(ServerCertificate certificate) =>
        certificate.Current is { } served ? [new(new DateTimeOffset(served.TargetCertificate.NotAfter).ToUnixTimeSeconds())] : [];
}
