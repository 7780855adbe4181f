using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Status;

namespace Enclaves.Tests.Chart.Argo;

/// <summary>A NED in a state that Argo CD should tell from others, with the status that the Reconciler's own code makes of that state.</summary>
/// <param name="Name">Name of its file in docs/argocd/testdata.</param>
/// <param name="Object">The NED.</param>
internal sealed record HealthCase(string Name, JsonObject Object)
{
    private const long Generation = 3;
    private const int Replicas = 2;
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DeploymentObservation Running = new() { IsObserved = true, Total = 2, Updated = 2, Ready = 2, Available = 2 };
    private static readonly DeploymentObservation Rolling = Running with { Total = 3, Updated = 1, Ready = 2, Available = 2 };

    /// <summary>Every state in which a NED can be, from its creation on.</summary>
    public static IReadOnlyList<HealthCase> All =>
    [
        new("progressing-new", Ned()),
        new("progressing-reconciling", Seen(Rolling)),
        new("progressing-retrying", Seen(Running, problem: new NedProblem(
            "ApiServerUnavailable", "PATCH Deployment default/hello: 503: etcd has no leader; it is tried again by itself.", NeedsHelp: false))),
        new("healthy", Seen(Running)),
        new("progressing-generation-behind", Behind(Seen(Running))),
        new("progressing-without-ready", Without("Ready", Seen(Running))),
        new("degraded-stalled", Seen(Rolling with { DeadlineFailure = "ReplicaSet \"hello-5d9c7b8f6d\" has timed out progressing." })),
        new("degraded-refused", Seen(null, problem: new NedProblem(
            "ApplyRefused", "The API server refused POST Deployment default/hello: 403: exceeded quota; mend what it names, or the Reconciler's rights or the namespace's quota.",
            NeedsHelp: true))),
        new("suspended", Seen(Rolling with { Total = 2, Updated = 0 }, paused: true)),
        new("suspended-while-all-run", Seen(Running, paused: true)),
    ];

    private static JsonObject Ned(bool paused = false)
    {
        var spec = new JsonObject
        {
            ["replicas"] = Replicas,
            ["enclave"] = new JsonObject { ["cpuCount"] = 2, ["memory"] = "1Gi" },
            ["userPlugins"] = new JsonArray(new JsonObject { ["name"] = "hello", ["image"] = "registry.example/hello:1" }),
        };
        if (paused)
            spec["paused"] = true;
        return new JsonObject
        {
            ["apiVersion"] = NedNames.ApiVersion,
            ["kind"] = NedNames.Kind,
            ["metadata"] = new JsonObject { ["name"] = "hello", ["namespace"] = "default", ["generation"] = Generation },
            ["spec"] = spec,
        };
    }

    private static JsonObject Seen(DeploymentObservation? deployment, bool paused = false, NedProblem? problem = null)
    {
        var ned = Ned(paused);
        var live = LiveObject.From(JsonSerializer.SerializeToElement(ned))!;
        var observed = new NedObservation("default", "hello", Generation, Replicas, paused, deployment, problem);
        ned["status"] = NedStatus.Compose(live, observed, problem is null ? new ExpectedMeasurements(new string('a', 96), null) : null, Noon).Fields;
        return ned;
    }

    // Somebody has just changed the spec: the API server has counted up, the status still speaks of what was before.
    private static JsonObject Behind(JsonObject ned)
    {
        ned["metadata"]!["generation"] = Generation + 1;
        return ned;
    }

    private static JsonObject Without(string condition, JsonObject ned)
    {
        ned["status"]!["conditions"]!.AsArray().RemoveAll(item => (string?)item!["type"] == condition);
        return ned;
    }
}
