using System.Collections.Concurrent;
using System.Net;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// Stands between a Reconciler and the real API server: counts writes, and breaks the way between the two as a test asks for. It answers
/// nothing by itself.
/// </summary>
internal sealed class ApiProxy : IAsyncDisposable
{
    private readonly Kubernetes _upstream = new(KubernetesClientConfiguration.BuildConfigFromConfigFile(ClusterFixture.KubeconfigPath));
    private readonly ConcurrentQueue<string> _writes = new();
    private readonly WebApplication _app;
    private CancellationTokenSource _open = new();

    private ApiProxy()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(Relay);
    }

    /// <summary>Where it listens.</summary>
    public string Address => _app.Urls.Single();

    /// <summary>Each request that was not a GET: method and path.</summary>
    public IReadOnlyCollection<string> Writes => _writes;

    /// <summary>Cancelled when the streams are cut or the proxy ends.</summary>
    public CancellationToken Closing => Volatile.Read(ref _open).Token;

    /// <summary>While true, every request finds its connection closed.</summary>
    public volatile bool Refuses;

    /// <summary>The user as whom the Reconciler comes to the server; null is an administrator.</summary>
    public string? As { get; set; }

    /// <summary>Answers some requests with a status of its own instead of asking the server; null lets a request through.</summary>
    public Func<string, int?> Answer { get; set; } = _ => null;

    /// <summary>Called with the number of each write after the server has carried it out and before the reply is sent.</summary>
    public Func<int, Task> AfterWrite { get; set; } = _ => Task.CompletedTask;

    public static async Task<ApiProxy> Start()
    {
        var proxy = new ApiProxy();
        await proxy._app.StartAsync();
        return proxy;
    }

    /// <summary>Closes every stream that is open, in the middle of whatever it says.</summary>
    public void CutStreams()
    {
        using var cut = Interlocked.Exchange(ref _open, new CancellationTokenSource());
        cut.Cancel();
    }

    public async ValueTask DisposeAsync()
    {
        CutStreams();
        await _app.DisposeAsync();
        _open.Dispose();
        _upstream.Dispose();
    }

    private async Task Relay(HttpContext context)
    {
        if (Refuses)
        {
            context.Abort();
            return;
        }

        var what = $"{context.Request.Method} {context.Request.Path}";
        if (Answer(what) is { } status)
        {
            context.Response.StatusCode = status;
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, Volatile.Read(ref _open).Token);
        try
        {
            using var reply = await Forward(context.Request, either.Token);
            if (!HttpMethods.IsGet(context.Request.Method))
            {
                _writes.Enqueue(what);
                await AfterWrite(_writes.Count);
            }

            context.Response.StatusCode = (int)reply.StatusCode;
            context.Response.ContentType = reply.Content.Headers.ContentType?.ToString();
            context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
            await using var body = await reply.Content.ReadAsStreamAsync(either.Token);
            var buffer = new byte[16 * 1024];
            for (int read; (read = await body.ReadAsync(buffer, either.Token)) > 0;)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), either.Token);
                await context.Response.Body.FlushAsync(either.Token);
            }
        }
        catch (Exception broken) when (broken is OperationCanceledException or IOException or HttpRequestException)
        {
            context.Abort();
        }
    }

    private async Task<HttpResponseMessage> Forward(HttpRequest incoming, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(new HttpMethod(incoming.Method), new Uri(_upstream.BaseUri, incoming.Path + incoming.QueryString));
        if (As is { } user)
            request.Headers.Add("Impersonate-User", user);
        request.Headers.TryAddWithoutValidation("Accept", incoming.Headers.Accept.ToArray());
        if (incoming.ContentLength > 0 || incoming.Headers.TransferEncoding.Count > 0)
        {
            using var body = new MemoryStream();
            await incoming.Body.CopyToAsync(body, cancellation);
            request.Content = new ByteArrayContent(body.ToArray());
            request.Content.Headers.TryAddWithoutValidation("Content-Type", incoming.ContentType);
        }

        return await _upstream.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }
}
