using System.Text.Json;
using Enclaves.Reconciler;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Control.Events;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Tests.Unit.Reconciler.Events;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Enclaves.Tests.Unit.Reconciler.Metrics;

/// <summary>The Reconciler's metrics behind the endpoint that Prometheus asks, with stores that a test fills.</summary>
internal sealed class Scraped : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });

    private Scraped(ReconcilerSettings settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(settings).AddSingleton<TimeProvider>(Time)
            .AddSingleton<ClusterStores>().AddSingleton<IEventSink, FakeSink>().AddSingleton<EventRecorder>()
            .AddSingleton<EnclaveStatusReader>().AddSingleton<EnclaveStatuses>()
            .AddSingleton<ReconcilerMetrics>().AddSingleton<FleetMetrics>().AddSingleton<NedMetricsText>().AddSingleton<JobClock>();
        builder.AddTelemetry();
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.MapTelemetry();
    }

    public TestClock Time { get; } = new();

    public static async Task<Scraped> Start(bool perNed = true)
    {
        var scraped = new Scraped(new ReconcilerSettings { PerNedMetrics = perNed });
        await scraped._app.StartAsync();
        return scraped;
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>The samples, as Prometheus asks for them: it prefers the other format.</summary>
    public async Task<IReadOnlyList<string>> Scrape()
    {
        // The exporter gives the same answer for a third of a second.
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{_app.Urls.Single()}/metrics"));
        request.Headers.TryAddWithoutValidation("Accept", "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
        using var answer = await _client.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public void PutNed(string space, string name, int? replicas, int ready) => Get<ClusterStores>().Neds.Put(Object($$$"""
        {"metadata": {"namespace": "{{{space}}}", "name": "{{{name}}}", "resourceVersion": "{{{Guid.NewGuid():N}}}"},
         "spec": { {{{(replicas is null ? "" : $"\"replicas\": {replicas}")}}} }, "status": {"readyReplicas": {{{ready}}}}}
        """));

    public void PutPod(string name, bool isReady) => Get<ClusterStores>().Pods.Put(Object($$$"""
        {"metadata": {"namespace": "default", "name": "{{{name}}}", "uid": "{{{name}}}", "resourceVersion": "1"},
         "status": {"conditions": [{"type": "Ready", "status": "{{{isReady}}}"}]}}
        """));

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    private static LiveObject Object(string json)
    {
        using var document = JsonDocument.Parse(json);
        return LiveObject.From(document.RootElement)!;
    }
}
