using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Control.Events;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Reconciling.Children;
using Enclaves.Reconciler.Status;
using k8s;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>NEDs of one namespace, and the writes that they ask for: what a Reconciler makes, or a plain client in its place.</summary>
internal sealed class NedLoad(ApiClient api, string space)
{
    // As many as keep an API server of two cores busy. They make NEDs; who makes the children has as many calls in flight as a Reconciler has workers.
    private const int Creators = 16;

    private const string Uid = "00000000-aaaa-bbbb-cccc-000000000000";

    /// <summary>The path of the namespace's NEDs.</summary>
    public string Path { get; } = $"apis/{NedNames.ApiVersion}/namespaces/{space}/{NedNames.Plural}";

    /// <summary>A NED with a Service and two replicas, as it is after admission.</summary>
    public static string Ned(string name, string space) => $$$"""
        {"apiVersion":"{{{NedNames.ApiVersion}}}","kind":"{{{NedNames.Kind}}}","metadata":{"name":"{{{name}}}","namespace":"{{{space}}}","labels":{"app":"{{{name}}}"}},
        "spec":{"replicas":2,"enclave":{"cpuCount":2,"memory":"1Gi","debugMode":false},"userPlugins":[{"name":"api",
        "image":"registry.example/payments/api:4.2.1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "env":[{"name":"LOG_LEVEL","value":"info"},{"name":"DATABASE","value":"orders"}],
        "ports":[{"name":"https","containerPort":8443,"hostPort":443,"protocol":"TCP"}],
        "outboundConnections":[{"fqdn":"orders.db.example","port":5432,"type":"default"}]}],
        "restartPolicy":"Always","progressDeadlineSeconds":600,"revisionHistoryLimit":10,"paused":false}}
        """;

    /// <summary>Names of so many NEDs, that sort as they count.</summary>
    public static string[] Names(string prefix, int count) => [.. Enumerable.Range(0, count).Select(i => $"{prefix}-{i:d5}")];

    /// <summary>Creates NEDs, many at a time.</summary>
    public Task Create(string[] names, CancellationToken cancellation) => InParallel(names, Creators,
        name => api.Send(HttpMethod.Post, Path, Ned(name, space), ApiClient.Json, cancellation), cancellation);

    /// <summary>
    /// Completes when all these NEDs say that they are scheduled for their current generation; for the Reconciler and the plain client alike.
    /// </summary>
    /// <param name="names">The NEDs.</param>
    /// <param name="from">A version from before they were created.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task Scheduled(string[] names, string from, CancellationToken cancellation)
    {
        var missing = names.ToHashSet(StringComparer.Ordinal);
        await foreach (var ned in api.Watch(Path, from, cancellation))
        {
            if (ned.TryGetProperty("status", out var status) && status.TryGetProperty("observedGeneration", out var observed)
                && observed.GetInt64() == ned.GetProperty("metadata").GetProperty("generation").GetInt64()
                && status.GetProperty("status").GetString() == NedStatusWords.Scheduled
                && missing.Remove(ned.GetProperty("metadata").GetProperty("name").GetString()!) && missing.Count == 0)
            {
                return;
            }
        }
    }

    /// <summary>
    /// In the Reconciler's place: for each NED as it appears, the same writes in the same order, as many at a time as a Reconciler has
    /// workers. The bodies are the Reconciler's own and ready but for the NED's name and uid; nothing is read, compared or remembered.
    /// </summary>
    /// <param name="count">NEDs to wait for.</param>
    /// <param name="from">A version from before they were created.</param>
    /// <param name="workers">Calls in flight.</param>
    /// <param name="events">Events for each NED; as many as the Reconciler has written.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task WriteChildren(int count, string from, int workers, int events, CancellationToken cancellation)
    {
        var writes = Writes(space, events);
        var appeared = System.Threading.Channels.Channel.CreateUnbounded<(string Name, string Uid)>();
        var work = Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            await foreach (var (name, uid) in appeared.Reader.ReadAllAsync(cancellation))
            {
                foreach (var write in writes)
                {
                    await api.Send(write.Method, write.Path.Replace(Placeholder, name, StringComparison.Ordinal),
                        write.Body.Replace(Placeholder, name, StringComparison.Ordinal).Replace(Uid, uid, StringComparison.Ordinal), write.Type, cancellation);
                }
            }
        }, cancellation)));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var ned in api.Watch(Path, from, cancellation))
        {
            var metadata = ned.GetProperty("metadata");
            var name = metadata.GetProperty("name").GetString()!;
            if (seen.Add(name))
                appeared.Writer.TryWrite((name, metadata.GetProperty("uid").GetString()!));
            if (seen.Count == count)
                break;
        }

        appeared.Writer.Complete();
        await work;
    }

    /// <summary>Runs an action for each item, so many at a time.</summary>
    public static Task InParallel<T>(IEnumerable<T> items, int degree, Func<T, Task> action, CancellationToken cancellation) => Parallel.ForEachAsync(
        items, new ParallelOptions { MaxDegreeOfParallelism = degree, CancellationToken = cancellation }, async (item, _) => await action(item));

    private const string Placeholder = "placeholder-00000";

    // What the Reconciler writes for a new NED: made by its own code for one NED, whose name and uid are replaced.
    private static IReadOnlyList<Write> Writes(string space, int events)
    {
        var json = JsonNode.Parse(Ned(Placeholder, space))!;
        json["metadata"]!["uid"] = Uid;
        json["metadata"]!["generation"] = 1;
        var live = LiveObject.From(JsonSerializer.SerializeToElement(json))!;
        var ned = KubernetesJson.Deserialize<NitroEnclaveDeployment>(json.ToJsonString());
        var manifest = NedManifest.Of(ned, new ConfigValues(new Dictionary<string, ConfigMapCopy>()));
        // The name of a manifest ends in its digest, which differs from NED to NED; here it is the same for all, and as long.
        var observed = new NedObservation(space, Placeholder, 1, 2, false, DeploymentObservation.Of(live), null);
        var status = new JsonObject
        {
            ["apiVersion"] = NedNames.ApiVersion,
            ["kind"] = NedNames.Kind,
            ["metadata"] = new JsonObject { ["name"] = Placeholder, ["namespace"] = space, ["uid"] = Uid },
            ["status"] = NedStatus.Compose(live, observed, ExpectedMeasurements.Of(ned.Spec.Enclave, manifest.Digest, EnclaveImages.None), DateTimeOffset.UtcNow).Fields,
        };
        return
        [
            Child(ResourceKind.ConfigMap, manifest.ConfigMapName, space, ManifestConfigMap.Fields(live, manifest)),
            Child(ResourceKind.Deployment, Placeholder, space, EnclaveDeployment.Fields(live, ned, manifest)),
            Child(ResourceKind.Service, Placeholder, space, EnclaveService.Fields(live, ned)!),
            new Write(HttpMethod.Patch, $"{NedKind.Resource.PathOf(new ObjectKey(space, Placeholder), "status")}?fieldManager={NedNames.FieldManager}&force=true",
                status.ToJsonString(), ApiClient.Apply),
            .. Enumerable.Range(0, events).Select(i => Event(live, i)),
        ];
    }

    private static Write Child(ResourceKind kind, string name, string space, JsonObject fields)
    {
        fields["metadata"]!["annotations"] ??= new JsonObject();
        fields["metadata"]!["annotations"]![ChildApplier.AppliedHash] = "0123456789abcdef";
        return new Write(HttpMethod.Patch, $"{kind.PathOf(new ObjectKey(space, name))}?fieldManager={NedNames.FieldManager}&force=false", fields.ToJsonString(), ApiClient.Apply);
    }

    private static Write Event(LiveObject ned, int number)
    {
        var about = new EventSubject(NedNames.ApiVersion, NedNames.Kind, ned.Key, ned.Uid, ned.ResourceVersion);
        var note = new EventNote(about, "Normal", Reasons.DeploymentAccepted, NedConditions.Scheduled, $"Deployment {ned.Key} is accepted for generation 1.");
        var state = new EventState($"{Placeholder}.{number:x16}", note, 1, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow);
        return new Write(HttpMethod.Patch, $"{ResourceKind.Event.PathOf(ned.Key with { Name = state.Name })}?fieldManager={NedNames.FieldManager}&force=true",
            EventSink.Fields(state).ToJsonString(), ApiClient.Apply);
    }

    private sealed record Write(HttpMethod Method, string Path, string Body, string Type);
}
