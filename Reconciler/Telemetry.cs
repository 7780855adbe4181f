using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Enclaves.Reconciler;

/// <summary>What operators see of the process from outside: metrics, and traces where somebody collects them.</summary>
internal static class Telemetry
{
    private const string ServiceName = "enclaves-reconciler";
    private const string MetricsPath = "/metrics";

    // The standard's own variables; the exporter reads them, and the others of the standard, by itself.
    private static readonly string[] EndpointVariables = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

    /// <summary>Registers the metrics, and the traces where an endpoint is set that takes them.</summary>
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        var telemetry = builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .ConfigureResource(resource => resource.AddService(ServiceName, autoGenerateServiceInstanceId: false))
            .AddMeter(ReconcilerMetrics.Meter)
            .AddPrometheusExporter(exporter => exporter.ScopeInfoEnabled = false));
        if (!EndpointVariables.Any(variable => builder.Configuration[variable] is { Length: > 0 }))
            return;
        telemetry.WithTracing(traces => traces
            .ConfigureResource(resource => resource.AddService(ServiceName))
            .AddSource(Tracing.Name)
            .AddAspNetCoreInstrumentation(requests => requests.Filter = context => !IsProbe(context.Request.Path))
            .AddOtlpExporter());
    }

    /// <summary>Serves the metrics.</summary>
    public static void MapTelemetry(this WebApplication app)
    {
        // Before anything is counted: what nobody listens to is lost.
        app.Services.GetRequiredService<MeterProvider>();
        app.Services.GetRequiredService<ReconcilerMetrics>().Observe(app.Services.GetRequiredService<JobClock>());
        // Made here, or nothing would: whatever shows itself to the meter is asked by nobody else.
        app.Services.GetRequiredService<FleetMetrics>();
        var neds = app.Services.GetRequiredService<NedMetricsText>();
        app.Use((context, next) => context.Request.Path == MetricsPath ? neds.AppendAsync(context, next) : next(context));
        app.MapPrometheusScrapingEndpoint(MetricsPath);
    }

    // The kubelet and Prometheus ask every few seconds.
    private static bool IsProbe(PathString path) => path == "/livez" || path == "/healthz" || path == "/readyz" || path == MetricsPath;
}
