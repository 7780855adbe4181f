using System.Globalization;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Actions;

/// <summary>
/// Which restarts a Deployment has had: their ids, in an annotation of the Deployment that is written together with the one that restarts it.
/// That the same restart is begun twice is so impossible, and needs no comparison of the clocks of those who asked. Pure.
/// </summary>
internal static class RestartRecord
{
    /// <summary>Field manager of these two annotations, which are the only fields that it has.</summary>
    public const string FieldManager = "enclaves-actions";

    // Also remembered for a while after their annotation is gone from the NED, in case that somebody applies it once more.
    private const int Most = 32;

    /// <summary>Whether a Deployment has had a restart.</summary>
    public static bool Has(LiveObject deployment, string id) => Ids(deployment).Contains(id, StringComparer.Ordinal);

    /// <summary>The fields that restart a Deployment: of the very state that was looked at, or the server refuses.</summary>
    /// <param name="deployment">It, as it is.</param>
    /// <param name="id">The restart.</param>
    /// <param name="waiting">The ids of all that still wait on the NED: of these none is forgotten.</param>
    /// <param name="now">The time.</param>
    public static JsonObject Fields(LiveObject deployment, string id, IReadOnlySet<string> waiting, DateTimeOffset now)
    {
        var ids = Ids(deployment).Append(id).ToList();
        var room = Most - ids.Count(waiting.Contains);
        var kept = ids.AsEnumerable().Reverse().Where(known => waiting.Contains(known) || room-- > 0).Reverse();
        return new JsonObject
        {
            ["apiVersion"] = ResourceKind.Deployment.ApiVersion,
            ["kind"] = ResourceKind.Deployment.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = deployment.Key.Name,
                ["namespace"] = deployment.Key.Namespace,
                ["uid"] = deployment.Uid,
                ["resourceVersion"] = deployment.ResourceVersion,
                ["annotations"] = new JsonObject { [NedAnnotations.Restarts] = string.Join(',', kept) },
            },
            ["spec"] = new JsonObject
            {
                ["template"] = new JsonObject
                {
                    ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [NedAnnotations.RestartedAt] = At(now) } },
                },
            },
        };
    }

    // Two in one second are two.
    private static string At(DateTimeOffset now) => now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    private static string[] Ids(LiveObject deployment) =>
        deployment.TextAt("metadata", "annotations", NedAnnotations.Restarts)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
}
