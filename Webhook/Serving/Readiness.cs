using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Enclaves.Channel;

namespace Enclaves.Webhook.Serving;

/// <summary>
/// Ready is who has answered a review: with a certificate loaded, this program calls every endpoint of its own over TLS, again and again until it
/// succeeds. The runtime has then compiled what the first user's review would else have to wait for.
/// </summary>
/// <param name="port">Its own TLS port.</param>
/// <param name="points">What to call.</param>
/// <param name="reviews">What to send.</param>
/// <param name="certificate">What must be served, and nothing else.</param>
/// <param name="draining">Ends it.</param>
/// <param name="lifetime">Says when there is something to call.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class Readiness(
    int port, IReadOnlyList<AdmissionPoint> points, SelfReviews reviews, ServerCertificate certificate, Draining draining, IHostApplicationLifetime lifetime,
    TimeProvider time, ILogger<Readiness> logger) : BackgroundService
{
    // After so many the next ones take hardly longer than on a program that has run for long.
    private const int Rounds = 30;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private volatile string? _unanswered = "its first review of itself is not answered yet";

    /// <summary>Why it is not ready; null when it is.</summary>
    public string? Problem => draining.IsDraining ? "stopping"
        : certificate.Current is null ? $"no certificate is loaded from {certificate.Path}; the log says why"
        : _unanswered;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Started(stoppingToken);
        var started = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause.Doubled(LongestPause))
        {
            if (certificate.Current is { } served)
            {
                var problem = await Call(served.TargetCertificate, stoppingToken);
                if (problem is null)
                {
                    Ready(time.GetElapsedTime(started).TotalMilliseconds);
                    _unanswered = null;
                    return;
                }

                if (problem != _unanswered)
                    NotReady(problem);
                _unanswered = problem;
            }

            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private async Task Started(CancellationToken cancellation)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellation);
    }

    // Answers what went wrong, or null.
    private async Task<string?> Call(X509Certificate2 served, CancellationToken stopping)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        deadline.CancelAfter(Deadline);
        using var client = Client(served);
        var path = "";
        try
        {
            var bodies = points.Select(point => (point.Path, Review: reviews.For(point))).ToList();
            for (var i = 0; i < Rounds; i++)
            {
                foreach (var (called, review) in bodies)
                {
                    path = called;
                    await Send(client, path, review, deadline.Token);
                }
            }

            return null;
        }
        catch (Exception e) when (e is HttpRequestException or AuthenticationException or IOException or JsonException or InvalidDataException)
        {
            return $"its review of itself at {path} failed: {(e.InnerException ?? e).Message}";
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return $"its review of itself at {path} was not answered within {Deadline.TotalSeconds} s";
        }
    }

    private async Task Send(HttpMessageInvoker client, string path, byte[] review, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"https://{IPAddress.Loopback}:{port}{path}"));
        request.Content = new ByteArrayContent(review);
        request.Content.Headers.ContentType = Json;
        using var response = await client.SendAsync(request, cancellation);
        using var answer = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellation), default, cancellation);
        // What is decided does not count, that it is does: an installation's policy may refuse the object.
        if (response.StatusCode != HttpStatusCode.OK || answer.RootElement.GetProperty("response").GetProperty("uid").GetString() != reviews.Uid)
            throw new InvalidDataException($"HTTP {(int)response.StatusCode}: {answer.RootElement.GetRawText()}");
    }

    private static HttpMessageInvoker Client(X509Certificate2 served) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        // No name of the certificate is this address, and its authority is not known here: its key is.
        SslOptions = { RemoteCertificateValidationCallback = (_, got, _, _) => got is not null && got.GetPublicKey().AsSpan().SequenceEqual(served.GetPublicKey()) },
    });

    [LoggerMessage(LogLevel.Information, "Ready: every endpoint has answered a review, {Milliseconds:F0} ms after the server's start")]
    private partial void Ready(double milliseconds);

    [LoggerMessage(LogLevel.Warning, "Not ready: {Problem}; it is tried again")]
    private partial void NotReady(string problem);
}
