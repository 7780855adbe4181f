using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Tests.EndToEnd;

namespace Enclaves.Tests.Enclave.Harness;

/// <summary>
/// A real OTLP receiver as a process: the Aspire dashboard, which takes logs and traces over gRPC and HTTP, asks for an API key, and tells what it has
/// taken over an API of its own.
/// </summary>
/// <param name="address">Where it is to be reached.</param>
/// <param name="ports">The ports of a suite that has some of its own; it may run beside another that has not.</param>
internal sealed class OtlpCollector(string address = "127.0.0.1", FreePorts? ports = null) : IAsyncDisposable
{
    public const string Key = "the collector's key";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _home = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(15) };
    private readonly StringBuilder _output = new();
    private static readonly FreePorts Ports = new(24000, 24199);

    private readonly int _page = (ports ?? Ports).Next();
    private Process? _process;

    public int GrpcPort { get; } = (ports ?? Ports).Next();

    public int HttpPort { get; } = (ports ?? Ports).Next();

    public string Endpoint(string protocol) => $"http://{address}:{(protocol == "grpc" ? GrpcPort : HttpPort)}";

    public async Task StartAsync()
    {
        var program = typeof(OtlpCollector).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "AspireDashboard").Value!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _home.Path };
        (string, string)[] variables =
        [
            ("ASPNETCORE_URLS", $"http://127.0.0.1:{_page}"),
            ("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", Endpoint("grpc")),
            ("ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", Endpoint("http")),
            ("ASPIRE_DASHBOARD_API_ENABLED", "true"),
            ("DASHBOARD__FRONTEND__AUTHMODE", "Unsecured"),
            ("DASHBOARD__API__AUTHMODE", "Unsecured"),
            ("DASHBOARD__OTLP__AUTHMODE", "ApiKey"),
            ("DASHBOARD__OTLP__PRIMARYAPIKEY", Key),
            ("DASHBOARD__TELEMETRYLIMITS__MAXLOGCOUNT", "200000"),
            // Whatever it keeps goes with the folder.
            ("HOME", _home.Path),
            ("TMPDIR", _home.Path),
        ];
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += Collect;
        _process.ErrorDataReceived += Collect;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.Holds("the collector answers", StartLimit, async () =>
        {
            using var answer = await _client.GetAsync($"http://127.0.0.1:{_page}/api/telemetry/logs?limit=1");
            return answer.StatusCode == HttpStatusCode.OK;
        }, Explain);
    }

    /// <summary>All records that it has taken, each with the attributes of its resource.</summary>
    public async Task<IReadOnlyList<Record>> RecordsAsync()
    {
        var answer = JsonNode.Parse(await _client.GetStringAsync($"http://127.0.0.1:{_page}/api/telemetry/logs?limit=200000"))!;
        return
        [
            .. from resource in answer["data"]!["resourceLogs"]!.AsArray()
               let attributes = Attributes(resource!["resource"]!)
               from scope in resource["scopeLogs"]!.AsArray()
               from record in scope!["logRecords"]!.AsArray()
               select new Record(
                   (string)record!["body"]!["stringValue"]!, (string?)record["severityText"] ?? "", long.Parse((string)record["timeUnixNano"]!, CultureInfo.InvariantCulture),
                   Attributes(record), attributes),
        ];
    }

    /// <summary>All spans that it has taken, each with its resource's service.</summary>
    public async Task<IReadOnlyList<Span>> SpansAsync()
    {
        var answer = JsonNode.Parse(await _client.GetStringAsync($"http://127.0.0.1:{_page}/api/telemetry/spans?limit=10000"))!;
        return
        [
            .. from resource in answer["data"]!["resourceSpans"]!.AsArray()
               let service = Attributes(resource!["resource"]!).GetValueOrDefault("service.name")
               from scope in resource["scopeSpans"]!.AsArray()
               from span in scope!["spans"]!.AsArray()
               select new Span(service, (string)span!["name"]!, (string)span["spanId"]!, (string?)span["parentSpanId"] ?? "", Attributes(span)),
        ];
    }

    public Task<string> Explain()
    {
        lock (_output)
            return Task.FromResult($"the collector's output:\n{_output}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _client.Dispose();
        _home.Dispose();
    }

    private void Collect(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
            _output.AppendLine(line.Data);
    }

    private static Dictionary<string, string> Attributes(JsonNode of) => (of["attributes"]?.AsArray() ?? []).ToDictionary(
        attribute => (string)attribute!["key"]!, attribute => attribute!["value"]?.AsObject().FirstOrDefault().Value?.ToString() ?? "", StringComparer.Ordinal);

    /// <summary>A span as the collector gives it back.</summary>
    internal sealed record Span(string? Service, string Name, string Id, string Parent, IReadOnlyDictionary<string, string> Attributes);

    /// <summary>A record as the collector gives it back.</summary>
    internal sealed record Record(string Text, string Severity, long UnixNanoseconds, IReadOnlyDictionary<string, string> Attributes, IReadOnlyDictionary<string, string> Resource)
    {
        public string? Container => Attributes.GetValueOrDefault("k8s.container.name");
    }
}
