using System.Net;
using System.Net.Http.Headers;
using Enclaves.EnclaveHost.Otlp.V1;
using Google.Protobuf;

namespace Enclaves.EnclaveHost.Otlp;

/// <summary>OTLP over HTTP with protobuf bodies.</summary>
internal sealed class OtlpHttpSender : IOtlpSender
{
    private const string Protobuf = "application/x-protobuf";

    // "Retryable Response Codes" in the OTLP specification.
    private static readonly HttpStatusCode[] Retryable =
        [HttpStatusCode.TooManyRequests, HttpStatusCode.BadGateway, HttpStatusCode.ServiceUnavailable, HttpStatusCode.GatewayTimeout];

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(5) })
    {
        MaxResponseContentBufferSize = 64 * 1024,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly Uri _address;

    /// <summary>The path is the signal's below the endpoint (OTLP exporter specification).</summary>
    public OtlpHttpSender(Uri endpoint)
    {
        var root = endpoint.AbsoluteUri.TrimEnd('/');
        _address = new Uri(root.EndsWith("/v1/logs", StringComparison.Ordinal) ? root : root + "/v1/logs");
    }

    public async Task<OtlpAnswer> SendAsync(ExportLogsServiceRequest request, IReadOnlyList<(string Name, string Value)> headers, CancellationToken cancellation)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, _address) { Content = new ByteArrayContent(request.ToByteArray()) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue(Protobuf);
        foreach (var (name, value) in headers)
            message.Headers.TryAddWithoutValidation(name, value);
        try
        {
            using var response = await _client.SendAsync(message, cancellation);
            var body = await response.Content.ReadAsByteArrayAsync(cancellation);
            if (response.IsSuccessStatusCode)
                return OtlpAnswer.Of(response.Content.Headers.ContentType?.MediaType == Protobuf ? ExportLogsServiceResponse.Parser.ParseFrom(body) : new());
            var problem = $"HTTP {(int)response.StatusCode} {response.ReasonPhrase}";
            return Retryable.Contains(response.StatusCode) ? OtlpAnswer.Later(problem, response.Headers.RetryAfter?.Delta ?? default) : OtlpAnswer.Refused(problem);
        }
        catch (HttpRequestException e)
        {
            return OtlpAnswer.Later(e.Message);
        }
        catch (InvalidProtocolBufferException)
        {
            // It has said that it took the records; what it says beside that is not to be understood.
            return OtlpAnswer.Of(new ExportLogsServiceResponse());
        }
    }

    public void Dispose() => _client.Dispose();
}
