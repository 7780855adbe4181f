using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using k8s;
using k8s.Models;

namespace Enclaves.Tests.Cluster.Oracle;

/// <summary>Everything of one namespace that concerns its NEDs, read once, and whether it is what their specs say and no more.</summary>
internal sealed class Survey
{
    private readonly IReadOnlyList<JsonObject> _neds;
    private readonly IReadOnlyList<V1Deployment> _deployments;
    private readonly IReadOnlyList<V1Service> _services;
    private readonly IReadOnlyList<V1ConfigMap> _manifests;
    private readonly IReadOnlyList<V1ReplicaSet> _replicaSets;

    private Survey(JsonObject neds, V1DeploymentList deployments, V1ServiceList services, V1ConfigMapList manifests, V1ReplicaSetList replicaSets)
    {
        _neds = [.. neds["items"]!.AsArray().Select(item => item!.AsObject())];
        _deployments = [.. deployments.Items];
        _services = [.. services.Items];
        _manifests = [.. manifests.Items];
        _replicaSets = [.. replicaSets.Items];
        Versions = string.Join('\n', Children.Concat(_replicaSets).Select(item => $"{item.GetType().Name} {item.Name()} {item.ResourceVersion()}")
            .Concat(_neds.Select(ned => $"NED {ned["metadata"]!["name"]} {ned["metadata"]!["resourceVersion"]}")));
        var owners = _neds.Select(ned => (string)ned["metadata"]!["uid"]!).ToHashSet();
        LeftOver = [.. Children.Where(child => !owners.Contains(OwnerUid(child))).Select(child => $"{child.GetType().Name} {child.Name()} is left over")];
    }

    /// <summary>How many NEDs there are.</summary>
    public int Neds => _neds.Count;

    /// <summary>Kind, name and version of each object: the same again means that nothing has changed.</summary>
    public string Versions { get; }

    /// <summary>Children whose NED does not exist.</summary>
    public IReadOnlyList<string> LeftOver { get; }

    private IEnumerable<IKubernetesObject<V1ObjectMeta>> Children => [.. _deployments, .. _services, .. _manifests];

    /// <summary>Reads a namespace.</summary>
    public static async Task<Survey> Take(Kubernetes client, string space, CancellationToken cancellation)
    {
        const string ours = $"{NedLabels.ManagedBy}={NedLabels.ManagedByValue}";
        var neds = (JsonElement)await client.CustomObjects.ListNamespacedCustomObjectAsync(NedNames.Group, NedNames.Version, space, NedNames.Plural, cancellationToken: cancellation);
        return new Survey(
            JsonObject.Create(neds)!,
            await client.AppsV1.ListNamespacedDeploymentAsync(space, cancellationToken: cancellation),
            await client.CoreV1.ListNamespacedServiceAsync(space, cancellationToken: cancellation),
            await client.CoreV1.ListNamespacedConfigMapAsync(space, labelSelector: ours, cancellationToken: cancellation),
            await client.AppsV1.ListNamespacedReplicaSetAsync(space, cancellationToken: cancellation));
    }

    /// <summary>Each thing that is not as the specs say, and each that is too much; empty when all is well.</summary>
    public IReadOnlyList<string> Wrong()
    {
        var manifests = _manifests.ToLookup(OwnerUid);
        var replicaSets = _replicaSets.ToLookup(OwnerUid);
        var deployments = _deployments.ToDictionary(item => item.Name());
        var services = _services.ToDictionary(item => item.Name());
        return [.. LeftOver, .. _neds.SelectMany(ned =>
        {
            var deployment = deployments.GetValueOrDefault((string)ned["metadata"]!["name"]!);
            return new NedChildren(ned, deployment, services.GetValueOrDefault((string)ned["metadata"]!["name"]!),
                [.. manifests[(string)ned["metadata"]!["uid"]!]], [.. replicaSets[deployment?.Uid() ?? ""]]).Wrong();
        })];
    }

    private static string OwnerUid(IKubernetesObject<V1ObjectMeta> child) => child.Metadata.OwnerReferences?.SingleOrDefault()?.Uid ?? "";
}
