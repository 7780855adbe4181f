using System.Net.Security;
using System.Reflection;
using Enclaves.Webhook.Injection;
using Enclaves.Webhook.Options;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Enclaves.Webhook.Serving;

/// <summary>
/// The program's two servers: the admission endpoints over TLS, and /livez and /readyz for the kubelet over plain HTTP. It holds no
/// Kubernetes permission and never calls the API server, so it cannot wait for what waits for it.
/// </summary>
internal static class WebhookServer
{
    // Above the longest webhook timeout an API server may have: 30 s.
    private static readonly TimeSpan LastRequests = TimeSpan.FromSeconds(31);
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The program's version, as it is written on the pods it fills.</summary>
    public static string Version { get; } =
        typeof(WebhookServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Builds the application.</summary>
    public static WebApplication Build(WebhookOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddJsonConsole(json => json.UseUtcTimestamp = true);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services => new ServerCertificate(
            options.CertificatePath, options.KeyPath, TimeProvider.System, services.GetRequiredService<ILogger<ServerCertificate>>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<ServerCertificate>());
        builder.Services.AddSingleton(services => new Draining(options.Drain, TimeProvider.System, services.GetRequiredService<ILogger<Draining>>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<Draining>());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Drain + LastRequests);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        var app = builder.Build();
        Map(app, options);
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

    private static void Map(WebApplication app, WebhookOptions options)
    {
        var draining = app.Services.GetRequiredService<Draining>();
        var certificate = app.Services.GetRequiredService<ServerCertificate>();
        var logger = app.Services.GetRequiredService<ILogger<AdmissionEndpoint>>();
        AdmissionPoint[] points = [AdmissionPoint.MutateNed, AdmissionPoint.ValidateNed(options.Images), AdmissionPoint.MutatePod(new PodInjection(options.Injection, Version))];
        foreach (var point in points)
            app.MapPost(point.Path, new AdmissionEndpoint(point, draining, logger).Handle);
        app.MapGet("/livez", () => Results.Text("ok\n"));
        app.MapGet("/readyz", () => draining.IsDraining ? NotReady("stopping")
            : certificate.Current is null ? NotReady($"no certificate is loaded from {options.CertificatePath}; the log says why")
            : Results.Text("ok\n"));
    }

    private static IResult NotReady(string reason) => Results.Text(reason + "\n", statusCode: StatusCodes.Status503ServiceUnavailable);
}
