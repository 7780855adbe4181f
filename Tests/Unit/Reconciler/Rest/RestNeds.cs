using System.Text.Json;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Rest.Reading;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

/// <summary>NEDs in stores, and the views of them.</summary>
internal sealed class RestNeds
{
    private int _version;

    public RestNeds() => Views = new NedViews(Stores);

    public ClusterStores Stores { get; } = new();

    public NedViews Views { get; }

    /// <summary>Adds one, or a new version of it.</summary>
    public void Put(string space, string name, string label = "app=web")
    {
        var (key, value) = label.Split('=') is [var first, var second] ? (first, second) : (label, "");
        Stores.Neds.Put(LiveObject.From(JsonSerializer.SerializeToElement(new
        {
            metadata = new Dictionary<string, object>
            {
                ["name"] = name,
                ["namespace"] = space,
                ["uid"] = $"uid-{space}-{name}",
                ["resourceVersion"] = $"{++_version}",
                ["generation"] = 1,
                ["labels"] = new Dictionary<string, string> { [key] = value },
            },
            spec = new { replicas = 2 },
        }))!);
    }

    /// <summary>Adds a namespace.</summary>
    public void PutNamespace(string name, bool isIgnored = false) => Stores.Namespaces.Put(LiveObject.From(JsonSerializer.SerializeToElement(new
    {
        metadata = new Dictionary<string, object>
        {
            ["name"] = name,
            ["uid"] = $"uid-{name}",
            ["resourceVersion"] = $"{++_version}",
            ["labels"] = new Dictionary<string, string> { ["k8s.oblv.com/ignore"] = isIgnored ? "true" : "false" },
        },
    }))!);

    /// <summary>Adds a pod of a NED.</summary>
    public LiveObject PutPod(string space, string ned, string name)
    {
        var pod = LiveObject.From(JsonSerializer.SerializeToElement(new
        {
            metadata = new Dictionary<string, object>
            {
                ["name"] = name,
                ["namespace"] = space,
                ["uid"] = $"uid-{space}-{name}",
                ["resourceVersion"] = $"{++_version}",
                ["labels"] = new Dictionary<string, string> { [NedLabels.Deployment] = ned },
            },
        }))!;
        Stores.Pods.Put(pod);
        return pod;
    }

    public void Remove(string space, string name) => Stores.Neds.Remove(new(space, name));
}
