using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// A namespace of one test's own, deleted at its end. An installed chart leaves it alone, by its label; the Webhook of this run serves it,
/// by another.
/// </summary>
internal sealed class TestNamespace : IAsyncDisposable
{
    private readonly ClusterFixture _cluster;

    private TestNamespace(ClusterFixture cluster, string name) => (_cluster, Name) = (cluster, name);

    public string Name { get; }

    private Kubernetes Client => _cluster.Client;

    public static async Task<TestNamespace> Create(ClusterFixture cluster, bool withWebhook = false, TestWebhook? webhook = null)
    {
        var name = $"test-{cluster.Run}-{Random.Shared.Next(0x1000000):x6}";
        var labels = new Dictionary<string, string> { ["k8s.oblv.com/ignore"] = "true" };
        if (withWebhook || webhook is not null)
            labels[TestWebhook.RunLabel] = webhook?.Run ?? cluster.Run;
        await cluster.Client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = name, Labels = labels } });
        var space = new TestNamespace(cluster, name);
        // Every pod needs it, and without it a Deployment would tell of a failure that is none.
        await Wait.For("the default service account", () => Find(() => space.Client.CoreV1.ReadNamespacedServiceAccountAsync("default", name)));
        return space;
    }

    public async ValueTask DisposeAsync() =>
        await Client.CoreV1.DeleteNamespaceAsync(Name, new V1DeleteOptions { PropagationPolicy = "Background" });

    public async Task<JsonObject> Create(JsonObject ned) => Json(
        await Client.CustomObjects.CreateNamespacedCustomObjectAsync(JsonSerializer.SerializeToElement(ned), NedNames.Group, NedNames.Version, Name, NedNames.Plural));

    /// <summary>What the API server answers to a creation that it only tries out (dryRun): the object, or the Status of its refusal.</summary>
    public async Task<string> TryCreate(JsonObject ned)
    {
        try
        {
            return Json(await Client.CustomObjects.CreateNamespacedCustomObjectAsync(
                JsonSerializer.SerializeToElement(ned), NedNames.Group, NedNames.Version, Name, NedNames.Plural, dryRun: "All")).ToJsonString();
        }
        catch (HttpOperationException refused) when (refused.Response.StatusCode < HttpStatusCode.InternalServerError)
        {
            return refused.Response.Content;
        }
    }

    public async Task<JsonObject> Patch(string ned, string mergePatch) => Json(await Client.CustomObjects.PatchNamespacedCustomObjectAsync(
        Merge(mergePatch), NedNames.Group, NedNames.Version, Name, NedNames.Plural, ned));

    public Task Delete(string ned) =>
        Client.CustomObjects.DeleteNamespacedCustomObjectAsync(NedNames.Group, NedNames.Version, Name, NedNames.Plural, ned);

    public async Task<JsonObject> Ned(string name = Neds.Name) =>
        Json(await Client.CustomObjects.GetNamespacedCustomObjectAsync(NedNames.Group, NedNames.Version, Name, NedNames.Plural, name));

    public Task<V1Deployment?> Deployment(string name = Neds.Name) => Find(() => Client.AppsV1.ReadNamespacedDeploymentAsync(name, Name));

    public Task<V1Service?> Service(string name = Neds.Name) => Find(() => Client.CoreV1.ReadNamespacedServiceAsync(name, Name));

    public Task<V1Lease> Lease(string name) => Client.CoordinationV1.ReadNamespacedLeaseAsync(name, Name);

    /// <summary>Manifests of one NED, or of all.</summary>
    public async Task<IList<V1ConfigMap>> Manifests(string? ned = null) => (await Client.CoreV1.ListNamespacedConfigMapAsync(
        Name, labelSelector: $"{NedLabels.ManagedBy}={NedLabels.ManagedByValue}{(ned is null ? "" : $",{NedLabels.Deployment}={ned}")}")).Items;

    public async Task<IList<V1Pod>> Pods(string ned = Neds.Name) =>
        (await Client.CoreV1.ListNamespacedPodAsync(Name, labelSelector: $"{NedLabels.Deployment}={ned}")).Items;

    public Task CreateConfigMap(string name, params (string Key, string Value)[] data) => Client.CoreV1.CreateNamespacedConfigMapAsync(
        new V1ConfigMap { Metadata = new V1ObjectMeta { Name = name }, Data = data.ToDictionary(item => item.Key, item => item.Value) }, Name);

    public Task PatchConfigMap(string name, string mergePatch) => Client.CoreV1.PatchNamespacedConfigMapAsync(Merge(mergePatch), name, Name);

    public Task DeleteConfigMap(string name) => Client.CoreV1.DeleteNamespacedConfigMapAsync(name, Name);

    /// <summary>The manifest that the Deployment's template names now.</summary>
    public async Task<string> ManifestInUse()
    {
        var name = (await Deployment())!.Spec.Template.Metadata.Annotations[NedAnnotations.Manifest];
        return (await Manifests()).Single(manifest => manifest.Name() == name).Data[NedNames.ManifestFile];
    }

    public Task PatchDeployment(string mergePatch) => Client.AppsV1.PatchNamespacedDeploymentAsync(Merge(mergePatch), Neds.Name, Name);

    public Task PatchService(string mergePatch) => Client.CoreV1.PatchNamespacedServiceAsync(Merge(mergePatch), Neds.Name, Name);

    public Task PatchScale(string mergePatch, string ned = Neds.Name) => Client.CustomObjects.PatchNamespacedCustomObjectScaleAsync(
        Merge(mergePatch), NedNames.Group, NedNames.Version, Name, NedNames.Plural, ned);

    public Task PatchStatus(string mergePatch) => Client.CustomObjects.PatchNamespacedCustomObjectStatusAsync(
        Merge(mergePatch), NedNames.Group, NedNames.Version, Name, NedNames.Plural, Neds.Name);

    public Task PatchPodStatus(string pod, string patch) =>
        Client.CoreV1.PatchNamespacedPodStatusAsync(new V1Patch(patch, V1Patch.PatchType.StrategicMergePatch), pod, Name);

    public Task<V1Pod> CreatePod(V1Pod pod) => Client.CoreV1.CreateNamespacedPodAsync(pod, Name);

    public Task<V1Deployment> CreateDeployment(V1Deployment deployment) => Client.AppsV1.CreateNamespacedDeploymentAsync(deployment, Name);

    public Task DeleteDeployment() => Client.AppsV1.DeleteNamespacedDeploymentAsync(Neds.Name, Name);

    // Servers before 1.23 answer with a Status instead of the Service, which the client's method cannot read.
    public async Task DeleteService()
    {
        using var reply = await Client.HttpClient.DeleteAsync(new Uri(Client.BaseUri, $"api/v1/namespaces/{Name}/services/{Neds.Name}"));
        reply.EnsureSuccessStatusCode();
    }

    /// <summary>Reasons of the events about the NED, in order, without those that depend on whether this cluster has nodes.</summary>
    public async Task<IReadOnlyList<string>> EventReasons(string ned = Neds.Name) =>
        [.. (await Client.EventsV1.ListNamespacedEventAsync(Name)).Items
            .Where(item => item.Regarding?.Kind == NedNames.Kind && item.Regarding.Name == ned)
            .OrderBy(item => item.EventTime)
            .Select(item => item.Reason)
            .Where(reason => !Neds.WithoutNode.Contains(reason))];

    /// <summary>Waits until these events, and no others, tell of the NED.</summary>
    public async Task Told(IReadOnlyList<string> reasons)
    {
        IReadOnlyList<string> last = [];
        // Events follow the status that they tell of.
        await Wait.Until($"the events {string.Join(", ", reasons)}", async () => (last = await EventReasons()).SequenceEqual(reasons),
            explain: () => $"last seen: {string.Join(", ", last)}");
    }

    /// <summary>Waits until the NED's status is about its current spec, and returns the NED.</summary>
    public Task<JsonObject> Reconciled(string status = NedStatusWords.Scheduled, string ned = Neds.Name, Func<string>? explain = null) =>
        Wait.For($"{ned} is {status} for its current generation", async () =>
        {
            var live = await Ned(ned);
            return (long?)live["status"]?["observedGeneration"] == (long?)live["metadata"]!["generation"] && (string?)live["status"]!["status"] == status
                ? live
                : null;
        }, explain: explain);

    /// <summary>Waits until the Deployment has its pods and nothing changes any more, and returns the version of everything that there is.</summary>
    public async Task<string> Settled()
    {
        var before = "";
        await Wait.Until("nothing changes any more", async () =>
        {
            if (!await IsRolledOut())
                return false;
            var now = await Versions();
            var same = now == before;
            before = now;
            if (!same)
                await Task.Delay(700);
            return same;
        });
        return before;
    }

    /// <summary>
    /// Whether the Deployment, if there is one, has its pods and the NED's status says so. Its controller may take its time; what it has not
    /// done yet will still change the status.
    /// </summary>
    public async Task<bool> IsRolledOut(string ned = Neds.Name) => await Deployment(ned) is not { } deployment || (
        deployment.Status.ObservedGeneration == deployment.Metadata.Generation
        && (deployment.Status.UpdatedReplicas ?? 0) == deployment.Spec.Replicas
        && ((int?)(await Ned(ned))["status"]?["updatedReplicas"] ?? 0) == deployment.Spec.Replicas);

    /// <summary>Kind, name and version of each object that the Reconciler writes.</summary>
    public async Task<string> Versions()
    {
        var lines = new List<string> { $"NED {(await Ned())["metadata"]!["resourceVersion"]}" };
        lines.AddRange((await Manifests()).Select(item => $"ConfigMap {item.Name()} {item.ResourceVersion()}"));
        lines.AddRange((await Client.AppsV1.ListNamespacedDeploymentAsync(Name)).Items.Select(item => $"Deployment {item.Name()} {item.ResourceVersion()}"));
        lines.AddRange((await Client.CoreV1.ListNamespacedServiceAsync(Name)).Items.Select(item => $"Service {item.Name()} {item.ResourceVersion()}"));
        return string.Join('\n', lines);
    }

    private static async Task<T?> Find<T>(Func<Task<T>> read)
        where T : class
    {
        try
        {
            return await read();
        }
        catch (HttpOperationException missing) when (missing.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private static V1Patch Merge(string patch) => new(patch, V1Patch.PatchType.MergePatch);

    private static JsonObject Json(object reply) => JsonNode.Parse(((JsonElement)reply).GetRawText())!.AsObject();
}
