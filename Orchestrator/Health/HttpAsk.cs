using System.Globalization;
using Enclaves.Channel.Manifest;

namespace Enclaves.Orchestrator.Health;

/// <summary>
/// Succeeds when a request over the loopback is answered with 200 to 399. As a kubelet's: every look has a connection of its own, redirects
/// are followed as long as they stay on the host, a redirect to elsewhere is a success, and a certificate is not checked.
/// </summary>
internal sealed class HttpAsk(ManifestHttpGet request) : IProbeAsk
{
    private const int MostRedirects = 10;

    private static readonly (string Name, string Value)[] OwnHeaders = [("User-Agent", "enclaves-probe"), ("Accept", "*/*")];

    // One for all probes. Nothing of it outlives a request.
    private static readonly HttpMessageInvoker Client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        MaxResponseHeadersLength = 64,
#pragma warning disable CA5359 // The probe of a container on the same loopback: who answers is not in doubt, and its certificate is for its users.
        SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
#pragma warning restore CA5359
    });

    private readonly Uri _first = new($"{request.Scheme.ToLowerInvariant()}://127.0.0.1:{request.Port.ToString(CultureInfo.InvariantCulture)}{request.Path}");

    public async Task<ProbeResult> AskAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        var target = _first;
        try
        {
            for (var redirects = 0; redirects <= MostRedirects; redirects++)
            {
                using var message = Message(target);
                // Only the head is read: the body says nothing that counts, and may be endless.
                using var response = await Client.SendAsync(message, cancellation);
                var status = (int)response.StatusCode;
                if (status is < 200 or >= 400)
                    return ProbeResult.Failure(string.Create(CultureInfo.InvariantCulture, $"HTTP status {status} from {target.PathAndQuery}"));
                if (status is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
                    return ProbeResult.Success;
                target = new Uri(target, location);
                if (target.Host != _first.Host || target.Scheme is not ("http" or "https"))
                    return ProbeResult.Success;
            }

            return ProbeResult.Failure($"more than {MostRedirects} redirects");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UriFormatException or NotSupportedException)
        {
            return ProbeResult.Failure(e.InnerException is { } cause ? $"{e.Message}: {cause.Message}" : e.Message);
        }
    }

    private HttpRequestMessage Message(Uri target)
    {
        var message = new HttpRequestMessage(HttpMethod.Get, target);
        // A header that is given takes the place of ours; given twice it is sent twice.
        foreach (var (name, value) in OwnHeaders)
        {
            if (!request.Headers.Any(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
                message.Headers.TryAddWithoutValidation(name, value);
        }

        foreach (var header in request.Headers)
        {
            if (!message.Headers.TryAddWithoutValidation(header.Name, header.Value))
                (message.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(header.Name, header.Value);
        }

        return message;
    }
}
