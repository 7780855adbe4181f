using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Api;
using k8s;
using k8s.Models;

namespace Enclaves.Tests.Cluster.Oracle;

/// <summary>
/// One NED and what there is of it, and what is wrong with that. Worked out from the NED's own text and the documented API, without the
/// code that makes the children.
/// </summary>
internal sealed class NedChildren(JsonObject ned, V1Deployment? deployment, V1Service? service, IReadOnlyList<V1ConfigMap> manifests, IReadOnlyList<V1ReplicaSet> replicaSets)
{
    private readonly List<string> _wrong = [];
    private readonly JsonNode _spec = ned["spec"]!;
    private readonly string _name = (string)ned["metadata"]!["name"]!;
    private readonly string _uid = (string)ned["metadata"]!["uid"]!;

    /// <summary>Each thing that is not as the spec says; empty when all is well.</summary>
    public IReadOnlyList<string> Wrong()
    {
        _wrong.Clear();
        CheckStatus();
        CheckService();
        if (deployment is null)
            Expect("the Deployment", "there", "absent");
        else
            CheckDeployment(deployment);
        return [.. _wrong];
    }

    private void CheckStatus()
    {
        Expect("status.observedGeneration", (long)ned["metadata"]!["generation"]!, (long?)ned["status"]?["observedGeneration"]);
        Expect("status.status", NedStatusWords.Scheduled, (string?)ned["status"]?["status"]);
        Expect("the wanted number in status.ready", $"{Replicas}", ((string?)ned["status"]?["ready"])?.Split('/')[1]);
    }

    private int Replicas => (int?)_spec["replicas"] ?? 1;

    private void CheckDeployment(V1Deployment live)
    {
        Expect("the Deployment's owner", _uid, Owner(live));
        Expect("its replicas", Replicas, live.Spec.Replicas);
        Expect("its paused", (bool?)_spec["paused"] ?? false, live.Spec.Paused ?? false);
        var strategy = (string?)_spec["strategy"]?["type"] ?? "RollingUpdate";
        Expect("its strategy", strategy, live.Spec.Strategy.Type);
        Expect("its rollingUpdate beside that strategy", strategy != "Recreate", live.Spec.Strategy.RollingUpdate is not null);
        Expect("its revisionHistoryLimit", (int?)_spec["revisionHistoryLimit"] ?? 10, live.Spec.RevisionHistoryLimit);
        var pod = live.Spec.Template.Metadata;
        Expect("its pods' label of injection", "true", pod.Labels.TryGetValue(NedLabels.Inject, out var inject) ? inject : null);
        foreach (var (label, value) in _spec["template"]?["metadata"]?["labels"]?.AsObject() ?? [])
            Expect($"its pods' label {label}", (string?)value, pod.Labels.TryGetValue(label, out var present) ? present : null);
        CheckManifests(live, pod.Annotations);
    }

    private void CheckManifests(V1Deployment live, IDictionary<string, string> annotations)
    {
        var current = annotations[NedAnnotations.Manifest];
        var digest = annotations[NedAnnotations.ManifestDigest];
        Expect("status.manifestDigest", digest, (string?)ned["status"]?["manifestDigest"]);
        if (manifests.SingleOrDefault(manifest => manifest.Name() == current) is not { } manifest)
        {
            Expect($"the manifest {current}", "there", "absent");
            return;
        }

        var text = manifest.Data[NedNames.ManifestFile];
        Expect("the digest of its manifest", Convert.ToHexStringLower(SHA384.HashData(Encoding.UTF8.GetBytes(text))), digest);
        Expect("the manifest's name", $"{_name}-manifest-{digest[..10]}", current);
        var container = JsonNode.Parse(text)!["containers"]![0]!;
        Expect("the image in the manifest", (string?)_spec["userPlugins"]![0]!["image"], (string?)container["image"]);
        Expect("the ports in the manifest", Ports("containerPort"),
            string.Join(' ', (container["ports"]?.AsArray() ?? []).Select(port => (int)port!["containerPort"]!)));
        // What another ReplicaSet uses is kept to go back to.
        var used = replicaSets.Where(set => Owner(set) == live.Uid() && set.Metadata.DeletionTimestamp is null)
            .Select(set => set.Spec.Template.Metadata.Annotations[NedAnnotations.Manifest]).Append(current).ToHashSet();
        Expect("manifests that no ReplicaSet uses", "", string.Join(' ', manifests.Select(item => item.Name()).Where(name => !used.Contains(name))));
    }

    private void CheckService()
    {
        var ports = Ports("hostPort");
        if (ports.Length == 0 || (string?)_spec["service"]?["type"] == "None")
        {
            Expect("the Service", "absent", service is null ? "absent" : "there");
            return;
        }

        Expect("the Service", "there", service is null ? "absent" : "there");
        if (service is null)
            return;
        Expect("the Service's owner", _uid, Owner(service));
        Expect("its type", (string?)_spec["service"]?["type"] ?? "ClusterIP", service.Spec.Type);
        Expect("its ports", ports, string.Join(' ', service.Spec.Ports.Select(port => port.Port)));
        Expect("its selector", $"{NedLabels.Deployment}={_name}", string.Join(',', service.Spec.Selector.Select(label => $"{label.Key}={label.Value}")));
    }

    private string Ports(string member) => string.Join(' ',
        (_spec["userPlugins"]![0]!["ports"]?.AsArray() ?? []).Select(port => (int?)port![member]).OfType<int>());

    private static string? Owner(IKubernetesObject<V1ObjectMeta> child) => child.Metadata.OwnerReferences?.SingleOrDefault(owner => owner.Controller == true)?.Uid;

    private void Expect<T>(string what, T wanted, T? found)
    {
        if (!EqualityComparer<T>.Default.Equals(wanted, found))
            _wrong.Add($"{_name}: {what}: '{found}' instead of '{wanted}'");
    }
}
