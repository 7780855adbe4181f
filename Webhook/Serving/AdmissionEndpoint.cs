using System.Diagnostics;
using System.Text.Json;
using Enclaves.Webhook.Review;
using Microsoft.AspNetCore.Http.Features;

namespace Enclaves.Webhook.Serving;

/// <summary>
/// One admission endpoint: body in, decision out. Every decision is HTTP 200; whatever could not be decided on is 4xx or 5xx with
/// a Status, which makes the API server apply the webhook's failure policy and show the message.
/// </summary>
internal sealed partial class AdmissionEndpoint(
    AdmissionPoint point, Draining draining, WebhookMetrics metrics, ReviewLog log, SelfReviews own, ILogger<AdmissionEndpoint> logger)
{
    /// <summary>What the API server itself can hold at most, and then some.</summary>
    public const int MaxBodyBytes = 7 * 1024 * 1024;

    /// <summary>Answers one request.</summary>
    public async Task Handle(HttpContext context)
    {
        // The plain port is the kubelet's; the Host header does not tell them apart, since a Service has another port.
        if (!context.Request.IsHttps)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var started = Stopwatch.GetTimestamp();
        if (draining.IsDraining)
            context.Response.Headers.Connection = "close";
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = MaxBodyBytes;
        var (code, answer) = await Answer(context, started);
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Length;
        await context.Response.Body.WriteAsync(answer, context.RequestAborted);
    }

    private async Task<(int Code, ReadOnlyMemory<byte> Answer)> Answer(HttpContext context, long started)
    {
        // Above all Kubernetes' own binary form, which some clients try first.
        if (!context.Request.HasJsonContentType())
            return Refuse(context, 415, $"the content type is '{context.Request.ContentType}', understood is application/json");
        try
        {
            using var turn = await LargeBodies.Turn(context);
            using var review = await AdmissionReviewReader.Parse(context.Request.Body, context.RequestAborted);
            var (request, decision) = point.Answer(review);
            var answer = AdmissionReviewWriter.Decision(request, decision);
            var duration = Stopwatch.GetElapsedTime(started);
            if (request.Uid == own.Uid)
            {
                metrics.SelfReviewed(point.Name, request, decision, duration);
            }
            else
            {
                metrics.Reviewed(point.Name, request, decision, duration);
                log.Add(request, decision, duration);
            }

            return (200, answer);
        }
        catch (JsonException e)
        {
            return Refuse(context, 400, $"the body is not JSON: {e.Message}");
        }
        catch (MalformedReviewException e)
        {
            return Refuse(context, 400, e.Message);
        }
        catch (BadHttpRequestException e)
        {
            return Refuse(context, e.StatusCode, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            metrics.Failed(point.Name);
            Failed(e, context.Request.Path);
            return (500, AdmissionReviewWriter.Failure(500, $"the webhook failed on this object ({e.GetType().Name}); its log has the details, please report it"));
        }
    }

    private (int Code, ReadOnlyMemory<byte> Answer) Refuse(HttpContext context, int code, string message)
    {
        metrics.Malformed(point.Name, code);
        Malformed(context.Request.Path, message);
        return (code, AdmissionReviewWriter.Failure(code, message));
    }

    [LoggerMessage(LogLevel.Warning, "Not a review at {Path}: {Problem}")]
    private partial void Malformed(string path, string problem);

    [LoggerMessage(LogLevel.Error, "Failed at {Path}; this is a defect")]
    private partial void Failed(Exception error, string path);
}
