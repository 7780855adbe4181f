using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Tests.Benchmarks.Admission;
using Enclaves.Webhook.Injection;
using Enclaves.Webhook.Review;
using Microsoft.AspNetCore.JsonPatch.SystemTextJson;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>What controllers and a node make of a NED's Deployment: bodies of a ReplicaSet and of pods as the Webhook injects them.</summary>
internal static class EnclavePod
{
    private static readonly string Template = Injected();

    /// <summary>A ReplicaSet of a NED.</summary>
    public static string ReplicaSet(string ned, string name, int replicas)
    {
        var pod = JsonNode.Parse(Template)!;
        var template = new JsonObject { ["metadata"] = pod["metadata"]!.DeepClone(), ["spec"] = Placeholder()["spec"]!.DeepClone() };
        template["metadata"]!.AsObject().Remove("generateName");
        template["metadata"]!.AsObject().Remove("ownerReferences");
        var set = new JsonObject
        {
            ["apiVersion"] = "apps/v1",
            ["kind"] = "ReplicaSet",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["labels"] = pod["metadata"]!["labels"]!.DeepClone(),
                ["annotations"] = new JsonObject { ["deployment.kubernetes.io/desired-replicas"] = $"{replicas}", ["deployment.kubernetes.io/revision"] = "1" },
                ["ownerReferences"] = Owner("Deployment", ned),
            },
            ["spec"] = new JsonObject
            {
                ["replicas"] = replicas,
                ["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { [NedLabels.Deployment] = ned } },
                ["template"] = template,
            },
        };
        return Named(set.ToJsonString(), ned, name);
    }

    /// <summary>A pod of a NED.</summary>
    public static string Pod(string ned, string set, string name)
    {
        var pod = JsonNode.Parse(Template)!;
        pod["metadata"]!["name"] = name;
        pod["metadata"]!["ownerReferences"] = Owner("ReplicaSet", set);
        return Named(pod.ToJsonString(), ned, set);
    }

    /// <summary>The status of a pod that runs.</summary>
    public static string Status()
    {
        const string since = "2026-03-02T09:41:07Z";
        var conditions = new[] { "Initialized", "Ready", "ContainersReady", "PodScheduled" }.Select(type => (JsonNode)new JsonObject
        {
            ["type"] = type, ["status"] = "True", ["lastTransitionTime"] = since,
        });
        return new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["phase"] = "Running",
                ["hostIP"] = "10.210.0.2",
                ["podIP"] = "10.211.0.17",
                ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = "10.211.0.17" }),
                ["startTime"] = since,
                ["conditions"] = new JsonArray([.. conditions]),
                ["containerStatuses"] = new JsonArray(new JsonObject
                {
                    ["name"] = NedNames.HostContainer,
                    ["image"] = "registry.example/enclaves/enclave-host:0.1.0",
                    ["imageID"] = "registry.example/enclaves/enclave-host@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                    ["containerID"] = "containerd://89abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567",
                    ["ready"] = true,
                    ["started"] = true,
                    ["restartCount"] = 0,
                    ["lastState"] = new JsonObject(),
                    ["state"] = new JsonObject { ["running"] = new JsonObject { ["startedAt"] = since } },
                }),
            },
        }.ToJsonString();
    }

    // The corpus' pod of a Deployment, injected by the Webhook's own code.
    private static string Injected()
    {
        var pod = Placeholder();
        using var document = JsonDocument.Parse(pod.ToJsonString());
        var decision = new PodInjection(new InjectionOptions { EnclaveHostImage = "registry.example/enclaves/enclave-host:0.1.0" }, "0.1.0").Decide(new AdmissionRequest
        {
            Uid = "1",
            Operation = "CREATE",
            Kind = new GroupVersionKind("", "v1", "Pod"),
            Name = "",
            Namespace = "memory",
            Object = document.RootElement,
        });
        if (decision.Patch is not { } patch)
            throw new InvalidOperationException($"the corpus' pod was not injected: {string.Join("; ", decision.Causes)}");
        object injected = pod;
        JsonSerializer.Deserialize<JsonPatchDocument>(patch)!.ApplyTo(injected);
        return ((JsonNode)injected).ToJsonString();
    }

    private static JsonNode Placeholder()
    {
        var pod = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Corpus", "pod-deployment.json")))!;
        foreach (var (name, value) in NedNames.ChildLabels("hello"))
            pod["metadata"]!["labels"]![name] = value;
        pod["spec"]!.AsObject().Remove("priority");
        pod["spec"]!.AsObject().Remove("preemptionPolicy");
        return pod;
    }

    private static JsonArray Owner(string kind, string name) => new(new JsonObject
    {
        ["apiVersion"] = "apps/v1",
        ["kind"] = kind,
        ["name"] = name,
        ["uid"] = string.Create(CultureInfo.InvariantCulture, $"6d2f1c6e-1f8b-4f43-9a77-{(uint)name.GetHashCode(StringComparison.Ordinal):x12}"),
        ["controller"] = true,
        ["blockOwnerDeletion"] = true,
    });

    private static string Named(string json, string ned, string set) => json
        .Replace("\"hello\"", $"\"{ned}\"", StringComparison.Ordinal)
        .Replace("5c4d8f6b7", set[^10..], StringComparison.Ordinal)
        .Replace("demo-manifest-0123456789", $"{ned}-manifest-0123456789", StringComparison.Ordinal);
}
