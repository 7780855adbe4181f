using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Enclaves.Tests.Benchmarks.Admission;
using Enclaves.Webhook.Serving;
using Enclaves.Webhook.Validation;

namespace Enclaves.Tests.Benchmarks.Availability;

/// <summary>
/// Reviews at a steady rate (an open loop) through the Webhook's Service, over HTTP/1.1 with kept connections, trusting what the webhook
/// configuration says at the moment: all as an API server does it. A review that gets no answer, or another than that it is allowed, has failed.
/// </summary>
internal sealed class SteadyLoad : IDisposable
{
    // The chart's own limit for an answer.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);
    private static readonly string[] Paths = [AdmissionPoint.MutateNed.Path, AdmissionPoint.ValidateNed(new ImagePolicy()).Path];
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly Installed _installed;
    private readonly HttpClient _client;
    private readonly ConcurrentDictionary<string, int> _failures = new();
    private volatile X509Certificate2Collection _authorities = [];

    /// <summary>A load on the Service at this address.</summary>
    public SteadyLoad(Installed installed, string address)
    {
        _installed = installed;
        _client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(address, 443, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = IsTrusted },
        }) { Timeout = AnswerLimit };
    }

    /// <summary>Sends reviews until told to stop, and waits for the last answers.</summary>
    /// <returns>Reviews that were sent, and how many of them failed for which reason.</returns>
    public async Task<(int Sent, IReadOnlyDictionary<string, int> Failures)> Run(int rate, CancellationToken stop)
    {
        _authorities = await _installed.Authorities(CancellationToken.None);
        using var following = new CancellationTokenSource();
        var follow = Follow(following.Token);
        var pending = new List<Task>();
        var started = Stopwatch.StartNew();
        while (!stop.IsCancellationRequested)
        {
            for (var due = (int)(started.Elapsed.TotalSeconds * rate) + 1; pending.Count < due;)
                pending.Add(Send(Paths[pending.Count % Paths.Length]));
            await Task.Delay(1, CancellationToken.None);
        }

        await Task.WhenAll(pending);
        await following.CancelAsync();
        await follow;
        return (pending.Count, _failures);
    }

    public void Dispose() => _client.Dispose();

    private async Task Send(string path)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"https://{Installed.Host}{path}")) { Content = new ByteArrayContent(SampleReview.Body) };
            request.Content.Headers.ContentType = Json;
            using var response = await _client.SendAsync(request);
            var answer = await response.Content.ReadAsByteArrayAsync();
            if (response.StatusCode != HttpStatusCode.OK || answer.AsSpan().IndexOf("\"allowed\":true"u8) < 0)
                Failed($"{(int)response.StatusCode}: {Encoding.UTF8.GetString(answer)}");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            Failed($"{failure.Message} {failure.InnerException?.Message}");
        }
    }

    private void Failed(string reason) => _failures.AddOrUpdate(reason, 1, (_, count) => count + 1);

    // An API server learns of a new bundle by its watch, within milliseconds; this is later than that.
    private async Task Follow(CancellationToken over)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), over);
                _authorities = await _installed.Authorities(over);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The load is over.
        }
    }

    private bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? _, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 leaf || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(leaf);
    }
}
