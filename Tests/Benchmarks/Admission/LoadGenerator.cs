using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Enclaves.Tests.Benchmarks.Admission;

/// <summary>
/// Sends the sample to servers on the loopback, over HTTP/1.1 with kept connections, which is how API servers call webhooks behind a
/// Service. Every answer must allow: one that does not ends the run.
/// </summary>
internal sealed class LoadGenerator(CertificateFolder files, int port, int connections) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private readonly HttpMessageInvoker _client = Client(files, connections);

    /// <summary>A client without proxy that trusts the folder's authority only.</summary>
    public static HttpClient Client(CertificateFolder files, int connections) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxConnectionsPerServer = connections,
        SslOptions =
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(files.Authority) },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    }) { Timeout = Timeout };

    /// <summary>One review, from the first byte sent to the last received; a connection is made where none is left.</summary>
    public async Task<TimeSpan> Send(string path, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"https://127.0.0.1:{port}{path}"));
        request.Content = new ByteArrayContent(SampleReview.Body);
        request.Content.Headers.ContentType = Json;
        using var response = await _client.SendAsync(request, cancellation);
        var answer = await response.Content.ReadAsByteArrayAsync(cancellation);
        if (response.StatusCode != HttpStatusCode.OK || answer.AsSpan().IndexOf("\"allowed\":true"u8) < 0)
            throw new InvalidOperationException($"{path} answered {(int)response.StatusCode}: {Encoding.UTF8.GetString(answer)}");
        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Closed loop: each connection sends the next review when it has the last one's answer. Answers reviews a second.</summary>
    public async Task<double> Flood(IReadOnlyList<string> paths, TimeSpan time, CancellationToken cancellation)
    {
        var started = Stopwatch.StartNew();
        async Task<long> Loop(int connection)
        {
            long sent = 0;
            for (; started.Elapsed < time; sent++)
                await Send(paths[(int)((sent + connection) % paths.Count)], cancellation);
            return sent;
        }

        var counts = await Task.WhenAll(Enumerable.Range(0, connections).Select(connection => Task.Run(() => Loop(connection), cancellation)));
        return counts.Sum() / started.Elapsed.TotalSeconds;
    }

    /// <summary>
    /// Open loop: a review is sent when its time has come, however long the ones before take, as users do. In a closed loop a slow
    /// answer would keep the next one from being asked for, and its slowness would be counted once instead of many times.
    /// </summary>
    public async Task Pace(IReadOnlyList<string> paths, int rate, int count, CancellationToken cancellation)
    {
        var pending = new List<Task>(count);
        var started = Stopwatch.StartNew();
        while (pending.Count < count)
        {
            cancellation.ThrowIfCancellationRequested();
            var due = Math.Min(count, (int)(started.Elapsed.TotalSeconds * rate) + 1);
            for (var i = pending.Count; i < due; i++)
                pending.Add(Send(paths[i % paths.Count], cancellation));
            // Finer than any timer of the framework, and a thread pool that is busy does not delay it.
            Thread.Sleep(TimeSpan.FromMilliseconds(1));
        }

        await Task.WhenAll(pending);
    }

    public void Dispose() => _client.Dispose();
}
