using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>A plain client: sends the bytes that it is given over one HTTP/2 connection and looks at the status of the reply, no more.</summary>
internal sealed partial class ApiClient : IDisposable
{
    public const string Json = "application/json";
    public const string Yaml = "application/yaml";
    public const string Apply = "application/apply-patch+yaml";
    public const string Merge = "application/merge-patch+json";

    private readonly HttpClient _client;

    /// <summary>A client of the API server on this port of the loopback.</summary>
    public ApiClient(int port, string token, string authority)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                    CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(authority) },
                },
            },
        };
        _client = new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://127.0.0.1:{port}/"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };
    }

    /// <summary>Sends a request that must succeed.</summary>
    public async Task Send(HttpMethod method, string path, string body, string type, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var response = await _client.SendAsync(request, cancellation);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellation)}");
    }

    /// <summary>Whether a GET is answered with a success.</summary>
    public async Task<bool> IsSuccess(string path, CancellationToken cancellation)
    {
        using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), cancellation);
        return response.IsSuccessStatusCode;
    }

    /// <summary>Number of the objects of a collection whose name begins so.</summary>
    public async Task<int> Count(string path, string prefix, CancellationToken cancellation)
    {
        using var list = await Read(path, cancellation);
        return list.RootElement.GetProperty("items").EnumerateArray()
            .Count(item => item.GetProperty("metadata").GetProperty("name").GetString()!.StartsWith(prefix, StringComparison.Ordinal));
    }

    /// <summary>The version of a collection at this moment, from which a watch misses nothing.</summary>
    public async Task<string> Version(string path, CancellationToken cancellation)
    {
        using var list = await Read($"{path}?limit=1", cancellation);
        return list.RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString()!;
    }

    /// <summary>What becomes of the objects of a collection from a version on, until it is cancelled. A stream that the server ends is resumed.</summary>
    public async IAsyncEnumerable<JsonElement> Watch(string path, string version, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            using var response = await _client.GetAsync(
                new Uri($"{path}?watch=true&resourceVersion={version}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellation);
            response.EnsureSuccessStatusCode();
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
            while (await reader.ReadLineAsync(cancellation) is { } line)
            {
                using var document = JsonDocument.Parse(line);
                if (document.RootElement.GetProperty("type").GetString() == "ERROR")
                    throw new IOException($"watching {path}: {line}");
                var item = document.RootElement.GetProperty("object");
                version = item.GetProperty("metadata").GetProperty("resourceVersion").GetString()!;
                yield return item;
            }
        }
    }

    /// <summary>What the API server has counted so far: requests by verb and resource, with a sub-resource as resource/sub-resource.</summary>
    public async Task<RequestCounts> Requests(CancellationToken cancellation)
    {
        var counts = new Dictionary<(string Verb, string Resource), long>();
        var text = await _client.GetStringAsync(new Uri("metrics", UriKind.Relative), cancellation);
        foreach (var line in text.Split('\n').Where(line => line.StartsWith("apiserver_request_total{", StringComparison.Ordinal)))
        {
            var labels = Label().Matches(line).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value, StringComparer.Ordinal);
            var key = (labels["verb"], labels["subresource"] is { Length: > 0 } sub ? $"{labels["resource"]}/{sub}" : labels["resource"]);
            counts[key] = counts.GetValueOrDefault(key) + (long)double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
        }

        return new RequestCounts(counts);
    }

    public void Dispose() => _client.Dispose();

    private async Task<JsonDocument> Read(string path, CancellationToken cancellation)
    {
        using var stream = await _client.GetStreamAsync(new Uri(path, UriKind.Relative), cancellation);
        return await JsonDocument.ParseAsync(stream, default, cancellation);
    }

    [GeneratedRegex("([a-z_]+)=\"([^\"]*)\"")]
    private static partial Regex Label();
}

/// <summary>Requests by verb and resource, successful or not.</summary>
internal sealed record RequestCounts(IReadOnlyDictionary<(string Verb, string Resource), long> Counts)
{
    private static readonly string[] Writes = ["POST", "PUT", "PATCH", "APPLY", "DELETE"];

    /// <summary>Requests that write these resources, since an earlier count.</summary>
    public long WritesSince(RequestCounts before, params string[] resources) => Sum(Writes, resources) - before.Sum(Writes, resources);

    /// <summary>Requests of one verb for these resources, since an earlier count.</summary>
    public long Since(RequestCounts before, string verb, params string[] resources) => Sum([verb], resources) - before.Sum([verb], resources);

    private long Sum(string[] verbs, string[] resources) =>
        Counts.Where(count => verbs.Contains(count.Key.Verb) && resources.Contains(count.Key.Resource)).Sum(count => count.Value);
}
