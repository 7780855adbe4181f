using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Enclaves.Tests.Benchmarks.Admission;

/// <summary>
/// What a webhook costs that thinks about nothing: Kestrel with the same TLS reads the body to its end and allows. It says how much of
/// a figure is the machine, the network stack and the load generator. A process of its own, as the Webhook is.
/// </summary>
internal static class AllowAll
{
    /// <summary>The argument with which this program becomes the endpoint.</summary>
    public const string Command = "allow-all";

    /// <summary>Serves until it is cancelled.</summary>
    public static async Task Run(string certificatePath, string keyPath, string port, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        using var certificate = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenLocalhost(int.Parse(port, null), listen => listen.UseHttps(certificate));
        });
        await using var app = builder.Build();
        app.MapPost("/{path}", Answer);
        await app.StartAsync(cancellation);
        await app.WaitForShutdownAsync(cancellation);
    }

    private static async Task Answer(HttpContext context)
    {
        var body = context.Request.BodyReader;
        while (true)
        {
            var read = await body.ReadAsync(context.RequestAborted);
            body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = SampleReview.Allowed.Length;
        await context.Response.Body.WriteAsync(SampleReview.Allowed, context.RequestAborted);
    }
}
