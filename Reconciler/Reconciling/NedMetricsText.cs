using System.Globalization;
using System.Text;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Leadership;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>
/// Adds to /metrics what is ready of each NED, in the text format of Prometheus. Written by hand: the SDK of OpenTelemetry keeps room for every
/// set of labels that it has ever seen, and NEDs come and go for as long as the process lives. Only the replica that works shows them.
/// </summary>
internal sealed class NedMetricsText(ClusterStores stores, ReconcilerSettings settings, LeaderElector? elector = null)
{
    /// <summary>NEDs that are shown one by one; the further ones are counted.</summary>
    public const int MostNeds = 10_000;

    private const int PieceChars = 32 * 1024;

    /// <summary>Lets the exporter write, then writes what is here behind it.</summary>
    public async Task AppendAsync(HttpContext context, RequestDelegate exporter)
    {
        if (!settings.PerNedMetrics || elector is { Elected.IsCompletedSuccessfully: false })
        {
            await exporter(context);
            return;
        }

        // The other format that the exporter knows, OpenMetrics, has a last line.
        context.Request.Headers.Accept = "text/plain";
        await exporter(context);
        if (context.Response.StatusCode != StatusCodes.Status200OK)
            return;
        foreach (var piece in Pieces())
            await context.Response.WriteAsync(piece, context.RequestAborted);
    }

    private IEnumerable<string> Pieces()
    {
        var all = stores.Neds.All;
        var shown = all.OrderBy(ned => ned.Key.Namespace, StringComparer.Ordinal).ThenBy(ned => ned.Key.Name, StringComparer.Ordinal).Take(MostNeds).ToList();
        foreach (var piece in Gauge("enclaves_ned_replicas", "Enclaves that a NED asks for.", shown, Wanted)
                     .Concat(Gauge("enclaves_ned_ready_replicas", "Enclaves of a NED that are ready.", shown, ned => ned.CountAt("status", "readyReplicas"))))
        {
            yield return piece;
        }

        yield return Head("enclaves_ned_left_out", "NEDs beyond the first ten thousand, which are not shown one by one.")
            + string.Create(CultureInfo.InvariantCulture, $"enclaves_ned_left_out {all.Count - shown.Count}\n");
    }

    // Names of objects have no character that a label's value would have to escape.
    private static IEnumerable<string> Gauge(string name, string help, List<LiveObject> neds, Func<LiveObject, int> value)
    {
        var text = new StringBuilder(Head(name, help));
        foreach (var ned in neds)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}{{namespace=\"{ned.Key.Namespace}\",ned=\"{ned.Key.Name}\"}} {value(ned)}\n");
            if (text.Length < PieceChars)
                continue;
            yield return text.ToString();
            text.Clear();
        }

        yield return text.ToString();
    }

    private static string Head(string name, string help) => $"# HELP {name} {help}\n# TYPE {name} gauge\n";

    private static int Wanted(LiveObject ned) => ned.At("spec", "replicas") is null ? NedDefaults.Replicas : ned.CountAt("spec", "replicas");
}
