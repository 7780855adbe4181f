using System.Net.Security;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Leadership;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Dashboard;
using Enclaves.Reconciler.Rest.Endpoints;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Streaming;
using Hangfire;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Enclaves.Reconciler.Rest.Serving;

/// <summary>
/// The REST API on a TLS port of its own, with a pipeline of its own: nothing that is asked of it stands in the way of the probes and metrics on
/// the other port. Every replica serves it, from what it watches.
/// </summary>
internal sealed partial class RestServer : IHostedService, IAsyncDisposable
{
    /// <summary>What begins the path of every call of the API.</summary>
    public const string ApiPath = "/api/v1";

    private const int MostBodyBytes = 64 * 1024;
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    // It stops before all else, which waits for it: a reader that takes its time must not keep the Lease from being given away.
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(2);

    private readonly RestSettings _settings;
    private readonly WebApplication _app;
    private readonly ILogger<RestServer> _logger;

    /// <summary>Prepares it.</summary>
    /// <param name="settings">Where to listen.</param>
    /// <param name="server">The API server, for what any replica may ask and write.</param>
    /// <param name="isWhole">Whether all that is there is known: before that, what exists would be told not to.</param>
    /// <param name="parts">What the program has besides.</param>
    public RestServer(RestSettings settings, ApiServer server, Func<bool> isWhole, IServiceProvider parts)
    {
        _settings = settings;
        _logger = parts.GetRequiredService<ILogger<RestServer>>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownLimit);
        builder.Services
            .AddSingleton(parts.GetRequiredService<ILoggerFactory>())
            .AddSingleton(settings)
            .AddSingleton(server)
            .AddSingleton(parts.GetRequiredService<TimeProvider>())
            .AddSingleton(parts.GetRequiredService<ClusterStores>())
            .AddSingleton(parts.GetRequiredService<EnclaveStatuses>())
            .AddSingleton(parts.GetRequiredService<NedViews>())
            .AddSingleton(parts.GetRequiredService<NedFeed>())
            .AddSingleton<TokenReviews>()
            .AddSingleton<AccessReviews>()
            .AddSingleton<VisibleNeds>()
            .AddSingleton<LongAnswers>()
            .AddSingleton<PodLog>()
            .AddSingleton<EnclaveQuestions>()
            .AddSingleton<RestCertificate>()
            .AddHostedService(services => services.GetRequiredService<RestCertificate>())
            .AddSingleton<IAuthorizationHandler, RouteAccessHandler>()
            .AddProblemDetails()
            .AddExceptionHandler<FailureProblems>()
            .AddAuthorization()
            .AddAuthentication(TokenAuthentication.Name).AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(TokenAuthentication.Name, null);
        builder.Services.ConfigureHttpJsonOptions(json => RestJson.Apply(json.SerializerOptions));
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.AddRestLimits().AddApiDocument();
        if (parts.GetService<LeaderElector>() is { } elector)
            builder.Services.AddSingleton(elector);
        if (parts.GetService<JobStorage>() is not null)
            builder.Services.AddJobDashboard(parts).AddSingleton<LeaderForward>().AddHttpForwarder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(Listen);
        _app = builder.Build();
        Map(_app, isWhole);
    }

    /// <summary>What its routes are made of.</summary>
    public IServiceProvider Services => _app.Services;

    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _app.StartAsync(cancellationToken);
        LogListening(_logger, _settings.Port);
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private void Listen(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = MostBodyBytes;
        kestrel.ListenAnyIP(_settings.Port, listen => listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTimeout,
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = kestrel.ApplicationServices.GetRequiredService<RestCertificate>().Current
                    ?? throw new InvalidOperationException("no certificate is loaded yet"),
            }),
        }));
    }

    private static void Map(WebApplication app, Func<bool> isWhole)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages(context => context.HttpContext.Response.ContentType is null && context.HttpContext.Request.Path.StartsWithSegments("/api")
            ? Problems.WriteAsync(context.HttpContext, context.HttpContext.Response.StatusCode, "Not found or not allowed",
                $"There is no {context.HttpContext.Request.Method} {context.HttpContext.Request.Path}; /swagger shows what there is.")
            : Task.CompletedTask);
        app.Use(SecurityHeaders);
        app.UseWhen(context => !isWhole() && context.Request.Path.StartsWithSegments(ApiPath), early => early.Run(Problems.TooEarlyAsync));
        app.UseRouting();
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        LoginPage.Map(app);
        app.MapApiDocument();
        if (app.Services.GetService<JobStorage>() is not null)
            JobDashboard.Map(app);
        var api = app.MapGroup(ApiPath).RequireAuthorization();
        NedEndpoints.Map(api);
        EnclaveEndpoints.Map(api);
        ActionEndpoints.Map(api);
        StreamEndpoints.Map(api);
    }

    private static Task SecurityHeaders(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
        return next(context);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The REST API listens on port {Port}")]
    private static partial void LogListening(ILogger logger, int port);
}
