using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Enclaves.Tests.Benchmarks.Boot;

/// <summary>A registry on the loopback with one image: a container's image is looked up in one whenever it is pulled, although it is there.</summary>
internal sealed class ImageRegistry : IAsyncDisposable
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private readonly WebApplication _app;

    private ImageRegistry(WebApplication app, string image) => (_app, Image) = (app, image);

    /// <summary>The image's name.</summary>
    public string Image { get; }

    /// <summary>Serves an image.</summary>
    /// <param name="layout">Folder in the OCI's layout.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async Task<ImageRegistry> Start(string layout, CancellationToken cancellation)
    {
        var port = ContainerProgram.Ports.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        string Blob(string digest) => Path.Combine(layout, "blobs", digest.Replace(':', '/'));
        using var index = System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(layout, "index.json"), cancellation));
        var manifest = index.RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!;
        app.MapGet("/v2/", () => Results.Ok());
        app.MapMethods("/v2/sleep/manifests/{reference}", ["GET", "HEAD"], (string reference, HttpResponse response) =>
        {
            var digest = reference.Contains(':', StringComparison.Ordinal) ? reference : manifest;
            response.Headers["Docker-Content-Digest"] = digest;
            return Results.File(Blob(digest), ManifestType);
        });
        app.MapMethods("/v2/sleep/blobs/{digest}", ["GET", "HEAD"], (string digest) => Results.File(Blob(digest), "application/octet-stream"));
        await app.StartAsync(cancellation);
        return new ImageRegistry(app, $"127.0.0.1:{port}/sleep:1");
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
