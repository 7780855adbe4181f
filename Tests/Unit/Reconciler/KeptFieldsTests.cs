using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class KeptFieldsTests
{
    private const string Pod = """
        {"kind":"Pod","metadata":{"name":"hello-1","namespace":"team","uid":"u","resourceVersion":"7","labels":{"app":"x","k8s.oblv.com/deployment":"hello"},
        "annotations":{"note":"long \"text\""},"managedFields":[{"manager":"kubelet"}]},
        "spec":{"nodeName":"n","containers":[{"name":"a"}]},"status":{"phase":"Running","hostIP":"10.0.0.1","conditions":[{"type":"Ready","status":"True","lastProbeTime":null}],
        "containerStatuses":[{"name":"enclave-host","imageID":"sha256:0","ready":true,"restartCount":1,"state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}}
        """;

    [Fact]
    public void Of_a_pod_what_tells_its_place_and_its_trouble_is_kept_and_nothing_else() =>
        Read(ResourceKind.Pod.Kept).Json.GetRawText().ShouldBe(
            """{"metadata":{"name":"hello-1","namespace":"team","uid":"u","resourceVersion":"7","labels":{"k8s.oblv.com/deployment":"hello"},"annotations":{}},"spec":{"nodeName":"n","containers":[{}]},"""
            + "\"status\":" + """{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"""
            + "\"containerStatuses\":" + """[{"name":"enclave-host","restartCount":1,"state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}}""");

    [Fact]
    public void Without_a_rule_everything_but_managedFields_is_kept()
    {
        var pod = Read(KeptFields.Whole);
        pod.At("metadata", "managedFields").ShouldBeNull();
        pod.TextAt("metadata", "annotations", "note").ShouldBe("long \"text\"");
        pod.At("spec", "containers")!.Value.GetRawText().ShouldBe("""[{"name":"a"}]""");
        pod.TextAt("status", "phase").ShouldBe("Running");
        pod.TextAt("status", "conditions").ShouldBeNull();
        pod.At("status", "phase", "deeper").ShouldBeNull();
        pod.At("absent").ShouldBeNull();
    }

    [Fact]
    public void Of_a_ReplicaSet_the_manifest_that_it_uses_is_kept()
    {
        using var set = JsonDocument.Parse("""
            {"metadata":{"name":"s","namespace":"team","labels":{"k8s.oblv.com/deployment":"hello"},
            "ownerReferences":[{"kind":"Deployment","name":"hello","uid":"d","controller":true}]},"spec":{"replicas":2,"template":{"metadata":
            {"annotations":{"k8s.oblv.com/manifest":"m","k8s.oblv.com/enclave":"{}"}},"spec":{}}}}
            """);
        var kept = LiveObject.From(set.RootElement, ResourceKind.ReplicaSet.Kept)!;
        kept.TextAt("spec", "template", "metadata", "annotations", "k8s.oblv.com/manifest").ShouldBe("m");
        kept.OwnerUid.ShouldBe("d");
        kept.At("spec", "replicas").ShouldBeNull();
        kept.At("spec", "template", "spec").ShouldBeNull();
    }

    private static LiveObject Read(KeptFields kept)
    {
        using var document = JsonDocument.Parse(Pod);
        return LiveObject.From(document.RootElement, kept)!;
    }
}
