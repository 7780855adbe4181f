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
/// nothing by itself. What is asked for is told by method and path; a watch has the method WATCH.
/// </summary>
internal sealed class ApiProxy : IAsyncDisposable
{
    private readonly Kubernetes _upstream = new(KubernetesClientConfiguration.BuildConfigFromConfigFile(DevelopmentCluster.KubeconfigPath));
    private readonly ConcurrentQueue<string> _writes = new();
    private readonly WebApplication _app;
    private CancellationTokenSource _open = new();
    private volatile bool _refuses;

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

    /// <summary>Each request that was not a GET and that the server has answered: method and path.</summary>
    public IReadOnlyCollection<string> Writes => _writes;

    /// <summary>While true, every request finds its connection closed.</summary>
    public bool Refuses
    {
        get => _refuses;
        set => _refuses = value;
    }

    /// <summary>The user as whom the Reconciler comes to the server; null is an administrator.</summary>
    public string? As { get; set; }

    /// <summary>Answers some requests with a status of its own instead of asking the server; null lets a request through.</summary>
    public Func<string, int?> Answer { get; set; } = _ => null;

    /// <summary>Called before each write is sent on to the server.</summary>
    public Func<string, Task> BeforeWrite { get; set; } = _ => Task.CompletedTask;

    /// <summary>Called after the server has carried out a write and before the reply is sent.</summary>
    public Func<string, Task> AfterWrite { get; set; } = _ => Task.CompletedTask;

    /// <summary>Called with the body of each write that has made a new object: with the object as the server has answered it.</summary>
    public Action<string, ReadOnlyMemory<byte>>? Created { get; set; }

    /// <summary>Called with each request that the server has answered, and its status.</summary>
    public Action<HttpRequest, HttpStatusCode>? Answered { get; set; }

    /// <summary>Whether the reply to this write is lost: the server has carried it out, and the connection breaks.</summary>
    public Func<string, bool> LosesReply { get; set; } = _ => false;

    /// <summary>Awaited before each piece of a reply goes on: as long as it is not complete, the connection is open and nothing comes.</summary>
    public Func<string, Task> Hold { get; set; } = _ => Task.CompletedTask;

    /// <summary>Of the next piece of this reply, how many bytes go on before the reply ends; null for all, and no end.</summary>
    public Func<string, int, int?> EndAfter { get; set; } = (_, _) => null;

    public static async Task<ApiProxy> Start()
    {
        var proxy = new ApiProxy();
        await proxy._app.StartAsync();
        return proxy;
    }

    /// <summary>Writes a kubeconfig that leads here into a temporary file, and returns its path.</summary>
    public async Task<string> WriteKubeconfig()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, $$"""
            apiVersion: v1
            kind: Config
            current-context: test
            contexts: [ { name: test, context: { cluster: test, user: test } } ]
            clusters: [ { name: test, cluster: { server: "{{Address}}" } } ]
            users: [ { name: test, user: { token: unused } } ]
            """);
        return path;
    }

    /// <summary>Never completes before the streams are cut or the proxy ends: for a hook whose request is to stay where it is.</summary>
    public Task Forever() => Task.Delay(Timeout.Infinite, Volatile.Read(ref _open).Token);

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

        var isWrite = !HttpMethods.IsGet(context.Request.Method);
        var what = $"{(context.Request.Query.ContainsKey("watch") ? "WATCH" : context.Request.Method)} {context.Request.Path}";
        if (Answer(what) is { } status)
        {
            context.Response.StatusCode = status;
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, Volatile.Read(ref _open).Token);
        try
        {
            if (isWrite)
                await BeforeWrite(what).WaitAsync(either.Token);
            using var reply = await Forward(context.Request, either.Token);
            Answered?.Invoke(context.Request, reply.StatusCode);
            if (isWrite && await IsLost(what, reply, either.Token))
            {
                context.Abort();
                return;
            }

            context.Response.StatusCode = (int)reply.StatusCode;
            context.Response.ContentType = reply.Content.Headers.ContentType?.ToString();
            context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
            await using var body = await reply.Content.ReadAsStreamAsync(either.Token);
            await Copy(what, body, context.Response.Body, either.Token);
        }
        catch (Exception broken) when (broken is OperationCanceledException or IOException or HttpRequestException)
        {
            context.Abort();
        }
    }

    private async Task<bool> IsLost(string what, HttpResponseMessage reply, CancellationToken cancellation)
    {
        if (reply.StatusCode == HttpStatusCode.Created && Created is { } created)
            created(what, await reply.Content.ReadAsByteArrayAsync(cancellation));
        _writes.Enqueue(what);
        await AfterWrite(what).WaitAsync(cancellation);
        return reply.IsSuccessStatusCode && LosesReply(what);
    }

    private async Task Copy(string what, Stream from, Stream to, CancellationToken cancellation)
    {
        var buffer = new byte[16 * 1024];
        for (int read; (read = await from.ReadAsync(buffer, cancellation)) > 0;)
        {
            await Hold(what).WaitAsync(cancellation);
            var last = EndAfter(what, read);
            await to.WriteAsync(buffer.AsMemory(0, last ?? read), cancellation);
            await to.FlushAsync(cancellation);
            if (last is not null)
                return;
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
