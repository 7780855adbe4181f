using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Enclaves.Reconciler.Leadership;
using Enclaves.Reconciler.Rest.Serving;
using Yarp.ReverseProxy.Forwarder;

namespace Enclaves.Reconciler.Rest.Dashboard;

/// <summary>
/// Hands requests for what only the leader has on to it: jobs run there, and their dashboard shows them. Token and cookie go along, and the leader
/// decides by them itself.
/// </summary>
internal sealed class LeaderForward : IDisposable
{
    private const string Mark = "X-Enclaves-Forwarded";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static readonly AsTheLeaderAnswers Transformer = new();

    private readonly LeaderElector? _elector;
    private readonly IHttpForwarder _forwarder;
    private readonly HttpMessageInvoker _client;

    public LeaderForward(IHttpForwarder forwarder, RestCertificate certificate, LeaderElector? elector = null)
    {
        (_forwarder, _elector) = (forwarder, elector);
        _client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            SslOptions = new SslClientAuthenticationOptions
            {
                // It serves the very certificate that this replica does: both have it out of one Secret. Its address is in no certificate.
                RemoteCertificateValidationCallback = (_, served, _, _) =>
                    served is X509Certificate2 theirs && certificate.Current is { } ours && theirs.RawDataMemory.Span.SequenceEqual(ours.TargetCertificate.RawDataMemory.Span),
            },
        });
    }

    /// <summary>Answers here on the leader, and elsewhere with what the leader answers.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (_elector is null || _elector.Elected.IsCompletedSuccessfully)
        {
            await next(context);
            return;
        }

        if (_elector.LeaderAddress is not { } leader || context.Request.Headers.ContainsKey(Mark))
        {
            await NoLeaderAsync(context, "no replica of the Reconciler says that it leads");
            return;
        }

        var error = await _forwarder.SendAsync(context, leader.ToString(), _client, new ForwarderRequestConfig { ActivityTimeout = Limit }, Transformer);
        if (error != ForwarderError.None && !context.Response.HasStarted)
            await NoLeaderAsync(context, $"the replica that leads did not answer ({error})");
    }

    /// <inheritdoc />
    public void Dispose() => _client.Dispose();

    private static Task NoLeaderAsync(HttpContext context, string why)
    {
        context.Response.Clear();
        Problems.RetryAfter(context);
        return Problems.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "No leader",
            $"Jobs are shown by the replica that leads, and {why}; try again in some seconds.");
    }

    private sealed class AsTheLeaderAnswers : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.TryAddWithoutValidation(Mark, "1");
            // The host that the browser knows: pages and redirects are made for it.
            proxyRequest.Headers.Host = httpContext.Request.Host.Value;
        }

        public override ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            // The leader sets all that we do. Theirs would come beside ours, and of two content security policies a browser takes what both allow.
            if (proxyResponse is not null)
                httpContext.Response.Headers.Clear();
            return base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        }
    }
}
