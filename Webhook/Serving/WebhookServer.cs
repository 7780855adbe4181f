using System.Net.Security;
using System.Reflection;
using Enclaves.Webhook.Injection;
using Enclaves.Webhook.Options;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using ZLogger;

namespace Enclaves.Webhook.Serving;

/// <summary>
/// The program's two servers: the admission endpoints over TLS, and /livez, /readyz and /metrics over plain HTTP. It holds no
/// Kubernetes permission and never calls the API server, so it cannot wait for what waits for it.
/// </summary>
internal static class WebhookServer
{
    private const int MaxUnwrittenLines = 10_000;

    // Above the longest webhook timeout an API server may have: 30 s.
    private static readonly TimeSpan LastRequests = TimeSpan.FromSeconds(31);
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The program's version, as it is written on the pods it fills.</summary>
    public static string Version { get; } =
        typeof(WebhookServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>Builds the application.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="alsoLogTo">Adds where the log goes besides standard output; null for nowhere.</param>
    public static WebApplication Build(WebhookOptions options, Action<ILoggingBuilder>? alsoLogTo = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        AddLogging(builder.Logging, options.LogLevel);
        alsoLogTo?.Invoke(builder.Logging);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services => new ServerCertificate(
            options.CertificatePath, options.KeyPath, TimeProvider.System, services.GetRequiredService<ILogger<ServerCertificate>>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<ServerCertificate>());
        builder.Services.AddSingleton(services => new Draining(options.Drain, TimeProvider.System, services.GetRequiredService<ILogger<Draining>>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<Draining>());
        AdmissionPoint[] points = [AdmissionPoint.MutateNed, AdmissionPoint.ValidateNed(options.Images), AdmissionPoint.MutatePod(new PodInjection(options.Injection, Version))];
        builder.Services.AddSingleton<SelfReviews>();
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<Readiness>(services, options.HttpsPort, points));
        builder.Services.AddHostedService(services => services.GetRequiredService<Readiness>());
        builder.Services.AddSingleton<WebhookMetrics>();
        builder.Services.AddSingleton<ReviewLog>();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .ConfigureResource(resource => resource.AddService("enclaves-webhook", serviceVersion: Version, autoGenerateServiceInstanceId: false))
            .AddMeter(WebhookMetrics.Meter)
            .AddPrometheusExporter(exporter => exporter.ScopeInfoEnabled = false));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Drain + LastRequests);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        var app = builder.Build();
        Map(app, points, options.HttpPort);
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, WebhookOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = AdmissionEndpoint.MaxBodyBytes;
        // Of each connection, also of those whose large body waits for its turn.
        kestrel.Limits.MaxRequestBufferSize = 128 * 1024;
        kestrel.ListenAnyIP(options.HttpPort, listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.ListenAnyIP(options.HttpsPort, listen => listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTimeout,
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = kestrel.ApplicationServices.GetRequiredService<ServerCertificate>().Current
                    ?? throw new InvalidOperationException("no certificate is loaded yet"),
            }),
        }));
    }

    private static void AddLogging(ILoggingBuilder logging, LogLevel level)
    {
        logging.ClearProviders().SetMinimumLevel(level).AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning);
        logging.AddZLoggerConsole(console =>
        {
            console.UseJsonFormatter(json => json.UseUtcTimestamp = true);
            // A task of its own formats and writes. When whoever reads the log stops reading, lines are lost rather than that reviews wait.
            console.FullMode = BackgroundBufferFullMode.Drop;
            console.BackgroundBufferCapacity = MaxUnwrittenLines;
        });
    }

    private static void Map(WebApplication app, IEnumerable<AdmissionPoint> points, int httpPort)
    {
        // By the connection: a Host header has the port that a Service gives it.
        app.UseOpenTelemetryPrometheusScrapingEndpoint(context => context.Connection.LocalPort == httpPort && context.Request.Path == "/metrics");
        foreach (var point in points)
            app.MapPost(point.Path, ActivatorUtilities.CreateInstance<AdmissionEndpoint>(app.Services, point).Handle);
        var readiness = app.Services.GetRequiredService<Readiness>();
        app.MapGet("/livez", () => Results.Text("ok\n"));
        app.MapGet("/readyz", () => readiness.Problem is { } problem
            ? Results.Text(problem + "\n", statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text("ok\n"));
    }
}
