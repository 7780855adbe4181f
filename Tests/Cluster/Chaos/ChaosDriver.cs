using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Enclaves.Tests.Cluster.Chaos;

/// <summary>
/// Creates, changes and deletes the NEDs of some names, as its seed says. Several drivers work beside each other, each with names of its
/// own, so that what one does depends on its seed alone.
/// </summary>
internal sealed class ChaosDriver(Kubernetes client, string space, IReadOnlyList<string> names, int seed)
{
    // The controllers of the cluster have to follow too, and pods are what they are slowest with.
    private const double ShareWithPod = 0.05;
    private const double ShareOfDeletions = 0.15;

    // Any seed will do; nothing here is a secret.
#pragma warning disable CA5394
    private readonly Random _random = new(seed);
#pragma warning restore CA5394
    private readonly HashSet<string> _present = [];
    private int _next;

    public int Created { get; private set; }

    public int Changed { get; private set; }

    public int Deleted { get; private set; }

    /// <summary>NEDs that are there now.</summary>
    public int Present => _present.Count;

    /// <summary>Makes changes at this pace, at most, until it is enough and every name has been used. Each one is carried out whole.</summary>
    public async Task Run(TimeSpan pace, CancellationToken enough, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(pace);
        while (!enough.IsCancellationRequested || _next < names.Count)
        {
            await timer.WaitForNextTickAsync(cancellation);
            await Step();
        }
    }

    // At first every other step is one of the names that have not been used yet, then any name has its turn.
    private async Task Step()
    {
        var name = _next < names.Count && (_present.Count == 0 || _next % 2 == 0 || _random.Next(2) == 0) ? names[_next++] : names[_random.Next(Math.Max(1, _next))];
        if (!_present.Contains(name))
            await Create(name);
        else if (_random.NextDouble() < ShareOfDeletions)
            await Delete(name);
        else
            await Change(name);
    }

    private async Task Create(string name)
    {
        var ned = Neds.Valid(name);
        var spec = ned["spec"]!.AsObject();
        spec["replicas"] = 0;
        for (var i = _random.Next(4); i > 0; i--)
        {
            foreach (var (field, value) in Facet())
                spec[field] = value?.DeepClone();
        }

        await client.CustomObjects.CreateNamespacedCustomObjectAsync(JsonSerializer.SerializeToElement(ned), NedNames.Group, NedNames.Version, space, NedNames.Plural);
        _present.Add(name);
        Created++;
    }

    private async Task Change(string name)
    {
        var patch = new JsonObject { ["spec"] = Facet() };
        await client.CustomObjects.PatchNamespacedCustomObjectAsync(
            new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch), NedNames.Group, NedNames.Version, space, NedNames.Plural, name);
        Changed++;
    }

    private async Task Delete(string name)
    {
        try
        {
            await client.CustomObjects.DeleteNamespacedCustomObjectAsync(NedNames.Group, NedNames.Version, space, NedNames.Plural, name);
        }
        catch (HttpOperationException gone) when (gone.Response.StatusCode == HttpStatusCode.NotFound)
        {
            // A reply of the server's that was lost and asked for again.
        }

        _present.Remove(name);
        Deleted++;
    }

    // A part of a spec, as a merge patch.
    private JsonObject Facet() => _random.Next(8) switch
    {
        0 => new JsonObject { ["replicas"] = _random.NextDouble() < ShareWithPod ? 1 : 0 },
        1 => new JsonObject { ["strategy"] = new JsonObject { ["type"] = _random.Next(2) == 0 ? "Recreate" : "RollingUpdate" } },
        2 => new JsonObject { ["paused"] = _random.Next(2) == 0 },
        3 => new JsonObject { ["service"] = _random.Next(2) == 0 ? new JsonObject { ["type"] = "None" } : null },
        4 => new JsonObject { ["revisionHistoryLimit"] = _random.Next(3) },
        5 => new JsonObject
        {
            ["template"] = new JsonObject
            {
                ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["chaos"] = $"label-{_random.Next(10)}" } },
                ["nodeSelector"] = new JsonObject { ["k8s.oblv.com/test"] = "nowhere" },
            },
        },
        _ => new JsonObject { ["userPlugins"] = new JsonArray(Plugin()) },
    };

    private JsonObject Plugin()
    {
        var plugin = new JsonObject { ["name"] = "web", ["image"] = $"registry.example/web:{_random.Next(5)}" };
        var ports = new JsonArray([.. Enumerable.Range(0, _random.Next(3)).Select(i => (JsonNode)new JsonObject { ["containerPort"] = 8080 + i, ["hostPort"] = 80 + i })]);
        if (ports.Count > 0)
            plugin["ports"] = ports;
        return plugin;
    }
}
