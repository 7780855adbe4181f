using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Certificates;

/// <summary>
/// The authorities that API servers trust when they call the Webhook: caBundle of every entry of both webhook configurations, written by
/// server-side apply under a field manager of its own, so that the chart and GitOps tools own all the rest.
/// </summary>
internal sealed partial class WebhookTrust(ApiServer server, CertificateSettings settings, TimeProvider time, ILogger<WebhookTrust> logger)
{
    /// <summary>Field manager of caBundle, and of the Secret.</summary>
    public const string FieldManager = "enclaves-certificates";

    private static readonly ResourceKind[] Kinds = [ResourceKind.MutatingWebhooks, ResourceKind.ValidatingWebhooks];

    // The bundle that was last found or written everywhere, and since when without a break.
    private string _carried = "";
    private DateTimeOffset _since;

    /// <summary>
    /// Makes every entry trust this bundle, unless it is empty: what is trusted without us may be in use. A configuration that does not
    /// exist calls nobody, and does not hold anything up.
    /// </summary>
    /// <returns>What is trusted afterwards.</returns>
    public async Task<TrustObserved> EnsureAsync(string bundle, CancellationToken cancellation)
    {
        var found = new List<string>();
        foreach (var kind in Kinds)
        {
            var key = new ObjectKey("", settings.Configuration);
            if (await server.GetAsync(kind, key, cancellation) is not { } configuration)
            {
                LogMissing(logger, kind.Kind, key);
                continue;
            }

            var bundles = Bundles(configuration);
            if (bundle.Length > 0 && bundles.Values.Any(present => present != bundle))
            {
                await server.ApplyAsync(kind, key, Fields(kind, bundles.Keys, bundle), force: true, null, cancellation, FieldManager);
                LogWritten(logger, kind.Kind, key);
            }

            found.AddRange(bundles.Values);
        }

        var now = time.GetUtcNow();
        if (bundle != _carried || found.Exists(present => present != bundle))
            (_carried, _since) = (bundle, now);
        return new TrustObserved(
            [.. found.SelectMany(present => TrustedAuthorities.Read(present, now)).Distinct(StringComparer.Ordinal)],
            bundle.Length > 0, bundle.Length > 0 && now - _since >= settings.Settle);
    }

    private static Dictionary<string, string> Bundles(LiveObject configuration)
    {
        var bundles = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in configuration.At("webhooks")?.EnumerateArray() ?? default)
        {
            var encoded = entry.TryGetProperty("clientConfig", out var client) ? client.Text("caBundle") : null;
            bundles[entry.Text("name") ?? ""] = encoded is null ? "" : Encoding.UTF8.GetString(Convert.FromBase64String(encoded));
        }

        return bundles;
    }

    private JsonObject Fields(ResourceKind kind, IEnumerable<string> entries, string bundle) => new()
    {
        ["apiVersion"] = kind.ApiVersion,
        ["kind"] = kind.Kind,
        ["metadata"] = new JsonObject { ["name"] = settings.Configuration },
        ["webhooks"] = new JsonArray([.. entries.Select(name => new JsonObject
        {
            ["name"] = name,
            ["clientConfig"] = new JsonObject { ["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(bundle)) },
        })]),
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind} {Configuration} trusts the authorities of the Webhook's certificate now")]
    private static partial void LogWritten(ILogger logger, string kind, ObjectKey configuration);

    [LoggerMessage(Level = LogLevel.Warning, Message = "There is no {Kind} {Configuration}: nothing calls the Webhook; unless the chart is being installed, install it again")]
    private static partial void LogMissing(ILogger logger, string kind, ObjectKey configuration);
}
