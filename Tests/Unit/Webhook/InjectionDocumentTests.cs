using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Channel.Manifest;
using Enclaves.Webhook.Injection;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

/// <summary>The example of docs/injection.md is right; the cluster suite applies it.</summary>
public sealed class InjectionDocumentTests
{
    private static readonly IReadOnlyList<object> Example =
        KubernetesYaml.LoadAllFromString(File.ReadAllText(Repository.PathOf("docs/injection.md")).Split("```yaml\n")[1].Split("```")[0]);

    public static TheoryData<string> Workloads => [nameof(V1StatefulSet), nameof(V1Job)];

    [Theory]
    [MemberData(nameof(Workloads))]
    public void The_examples_annotations_fit_its_manifest(string workload)
    {
        var annotations = Template(workload).Metadata.Annotations;
        var manifests = Example.OfType<V1ConfigMap>().ShouldHaveSingleItem();
        var bytes = Encoding.UTF8.GetBytes(manifests.Data[NedNames.ManifestFile]);
        var manifest = ManifestCodec.Read(bytes);
        annotations[NedAnnotations.Manifest].ShouldBe(manifests.Metadata.Name);
        annotations[NedAnnotations.ManifestDigest].ShouldBe(Convert.ToHexStringLower(SHA384.HashData(bytes)));
        EnclaveSettings.FromJson(annotations[NedAnnotations.Enclave]).Ports
            .ShouldBe(manifest.Containers.SelectMany(container => container.Ports).Select(port => port.IngressPort).OfType<int>());
    }

    [Theory]
    [MemberData(nameof(Workloads))]
    public void The_examples_pods_are_injected(string workload)
    {
        var pod = JsonNode.Parse(KubernetesJson.Serialize(Template(workload)))!;
        var injection = new PodInjection(new InjectionOptions { EnclaveHostImage = "registry.example/enclave-host:1" }, "1.2.3");
        Patched.Apply(pod, injection.Decide(Patched.Request(pod))).At("spec|containers|enclave-host|image").ShouldBe("registry.example/enclave-host:1");
    }

    private static V1PodTemplateSpec Template(string workload) => workload == nameof(V1Job)
        ? Example.OfType<V1Job>().ShouldHaveSingleItem().Spec.Template
        : Example.OfType<V1StatefulSet>().ShouldHaveSingleItem().Spec.Template;
}
