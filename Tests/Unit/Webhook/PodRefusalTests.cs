using System.Diagnostics;
using System.Text.Json.Nodes;
using Enclaves.Webhook.Injection;
using Enclaves.Webhook.Review;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

/// <summary>What a labelled pod is refused for: each time the field, what is wrong with it, and what to do.</summary>
public sealed class PodRefusalTests
{
    private const string Host = "spec|containers|0|";
    private const string Path = "spec.containers[0].";

    private static readonly PodInjection Injection = new(
        new InjectionOptions { EnclaveHostImage = "registry.example/enclave-host:1", Driver = InjectionOptions.Qemu, SeccompProfile = "RuntimeDefault" }, "1.2.3");

    [Theory]
    [InlineData("cpuCount", "3", "cpuCount", "even number from 2 to 256")]
    [InlineData("cpuCount", "258", "cpuCount", "even number from 2 to 256")]
    [InlineData("memoryMiB", "32", "memoryMiB", "allowed are 64 to 1048576")]
    [InlineData("memoryMiB", "1025", "memoryMiB", "no whole multiple of hugepageSize 2Mi")]
    [InlineData("hugepageSize", "\"4Ki\"", "hugepageSize", "allowed are 2Mi and 1Gi")]
    [InlineData("ports", "[80]", "ports", "1024 to 65535")]
    [InlineData("ports", "[20000,20000]", "ports", "20000 twice")]
    [InlineData("ports", "[8080]", "ports", "EnclaveHost's own HTTP server")]
    [InlineData("pullSecrets", "[\"Not A Name\"]", "pullSecrets[0]", "not the name of an object")]
    [InlineData("pullSecrets", "[null]", "pullSecrets[0]", "not the name of an object")]
    [InlineData("secrets", "[{\"name\":\"a\"},null]", "secrets[1]", "null")]
    [InlineData("secrets", "[{\"name\":\"..\"}]", "secrets[0].name", "not the name of an object")]
    [InlineData("secrets", "[{\"name\":\"a\",\"keys\":[\"../b\"]}]", "secrets[0].keys[0]", "not a key")]
    [InlineData("secrets", "[{\"name\":\"a\",\"keys\":[]}]", "secrets[0].keys", "leave it out for all of them")]
    [InlineData("image", "\"registry.example/other:1\"", "image", "leave it out")]
    public void Settings_that_no_enclave_can_have_are_refused_by_their_own_path(string member, string value, string field, string sentence)
    {
        var pod = Pod();
        Settings(pod, settings => settings[member] = JsonNode.Parse(value));
        Refused(pod).ShouldHaveSingleItem().ToString().ShouldSatisfyAllConditions(
            text => text.ShouldStartWith($"metadata.annotations[k8s.oblv.com/enclave].{field}: "), text => text.ShouldContain(sentence));
    }

    [Theory]
    [InlineData("\"{\"")]
    [InlineData("\"null\"")]
    [InlineData("\"[]\"")]
    [InlineData("\"{}\"")]
    [InlineData("\"{\\\"cpuCount\\\":\\\"two\\\"}\"")]
    public void Settings_that_cannot_be_read_say_where_it_is_written_how(string annotation)
    {
        var pod = Pod();
        pod["metadata"]!["annotations"]!["k8s.oblv.com/enclave"] = JsonNode.Parse(annotation);
        var cause = Refused(pod).ShouldHaveSingleItem();
        cause.Field.ShouldBe("metadata.annotations[k8s.oblv.com/enclave]");
        cause.Message.ShouldContain("docs/injection.md");
    }

    [Fact]
    public void Every_problem_of_the_annotations_and_the_pod_is_told_at_once()
    {
        var pod = Pod();
        Settings(pod, settings => (settings["cpuCount"], settings["memoryMiB"]) = (1, 1));
        pod["metadata"]!["annotations"]!.AsObject().Remove("k8s.oblv.com/manifest");
        pod["spec"]!["hostPID"] = true;
        Refused(pod).Select(cause => cause.Field).ShouldBe(
            [
                "metadata.annotations[k8s.oblv.com/enclave].cpuCount", "metadata.annotations[k8s.oblv.com/enclave].memoryMiB", "metadata.annotations[k8s.oblv.com/manifest]", "spec.hostPID",
            ]);
    }

    [Theory]
    [InlineData("spec|hostNetwork", "true", "spec.hostNetwork", "must be absent or false")]
    [InlineData("spec|hostIPC", "true", "spec.hostIPC", "must be absent or false")]
    [InlineData("spec|automountServiceAccountToken", "true", "spec.automountServiceAccountToken", "must be false in the pod template")]
    [InlineData(Host + "volumeMounts", "[{\"name\":\"kube-api-access-x\",\"mountPath\":\"/var/run/secrets/kubernetes.io/serviceaccount\"}]", "spec.automountServiceAccountToken", "must be false")]
    [InlineData(Host + "securityContext", "{\"capabilities\":{\"add\":[\"NET_ADMIN\"]}}", Path + "securityContext.capabilities.add", "must be absent")]
    [InlineData(Host + "securityContext", "{\"seccompProfile\":{\"type\":\"Localhost\",\"localhostProfile\":\"x\"}}", Path + "securityContext.seccompProfile", "remove it")]
    [InlineData("spec|volumes", "[{\"name\":\"enclave-run\",\"hostPath\":{\"path\":\"/run\"}}]", "spec.volumes[0].name", "give your volume another name")]
    [InlineData("spec|volumes", "[{\"name\":\"enclave-secrets\",\"secret\":{\"secretName\":\"x\"}}]", "spec.volumes[0].name", "makes as projected")]
    [InlineData(Host + "volumeMounts", "[{\"name\":\"mine\",\"mountPath\":\"/dev/hugepages\"}]", Path + "volumeMounts[0].mountPath", "mount your volume elsewhere")]
    [InlineData(Host + "volumeMounts", "[{\"name\":\"mine\",\"mountPath\":\"/etc/enclave/manifest/x\"}]", Path + "volumeMounts[0].mountPath", "/etc/enclave/manifest is a folder of EnclaveHost's own")]
    [InlineData(Host + "volumeMounts", "[{\"name\":\"enclave-run\",\"mountPath\":\"/run/nitro_enclaves/\"}]", Path + "volumeMounts[0].mountPath", "elsewhere")]
    [InlineData(Host + "env", "[{\"name\":\"POD_NAME\",\"value\":\"x\"}]", Path + "env[0].name", "a variable that injection sets")]
    [InlineData(Host + "env", "[{\"name\":\"POD_UID\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"a\",\"key\":\"b\"}}}]", Path + "env[0].name", "remove it")]
    [InlineData(Host + "env", "[{\"name\":\"A\"},{\"name\":\"ENCLAVE_DRIVER\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"x\"}}}]", Path + "env[1].name", "remove it")]
    [InlineData(Host + "ports", "[{\"containerPort\":8080,\"name\":\"web\"}]", Path + "ports[0]", "http = 8080/TCP")]
    [InlineData(Host + "ports", "[{\"containerPort\":80,\"name\":\"http\"}]", Path + "ports[0]", "remove it")]
    [InlineData(Host + "ports", "[{\"containerPort\":20000,\"protocol\":\"UDP\"}]", Path + "ports[0]", "ingress-0 = 20000/TCP")]
    [InlineData(Host + "resources", "{\"limits\":{\"hugepages-1Gi\":\"1Gi\"}}", Path + "resources.limits[hugepages-1Gi]", "hugepages-2Mi: 1Gi")]
    [InlineData(Host + "resources", "{\"requests\":{\"hugepages-2Mi\":\"2Gi\"}}", Path + "resources.requests[hugepages-2Mi]", "contradicts the annotation")]
    [InlineData(Host + "livenessProbe", "{\"exec\":{\"command\":[\"true\"]}}", Path + "livenessProbe", "contradicts the HTTP probe")]
    [InlineData("spec|containers|1", "{\"name\":\"app\",\"ports\":[{\"containerPort\":8080}]}", "spec.containers[1].ports[0].containerPort", "listen on another port")]
    [InlineData("spec|initContainers", "[{\"name\":\"app\",\"restartPolicy\":\"Always\",\"ports\":[{\"containerPort\":20000}]}]", "spec.initContainers[0].ports[0].containerPort", "listen on another port")]
    [InlineData("spec|containers|0|name", "\"app\"", "spec.containers", "none is called enclave-host; add")]
    public void What_an_enclave_pod_cannot_have_is_refused(string where, string value, string field, string sentence)
    {
        var pod = Pod();
        Set(pod, where, value);
        var cause = Refused(pod).ShouldHaveSingleItem();
        cause.Field.ShouldBe(field);
        cause.Message.ShouldContain(sentence);
    }

    [Fact]
    public void A_token_that_is_projected_into_the_container_is_refused_and_a_sidecars_is_not()
    {
        var pod = Pod();
        Set(pod, "spec|volumes", """[{"name":"t","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}]""");
        Set(pod, "spec|containers|1", """{"name":"mesh","volumeMounts":[{"name":"t","mountPath":"/t"}]}""");
        Decide(pod).Allowed.ShouldBeTrue();
        Set(pod, Host + "volumeMounts", """[{"name":"t","mountPath":"/t"}]""");
        Refused(pod).ShouldHaveSingleItem().Field.ShouldBe("spec.automountServiceAccountToken");
    }

    [Theory]
    [InlineData(Host + "ports", "[{\"containerPort\":8080},{\"containerPort\":9000,\"name\":\"mine\"}]")]
    [InlineData(Host + "env", "[{\"name\":\"POD_NAME\",\"value\":\"\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.uid\"}}}]")]
    [InlineData(Host + "resources", "{\"limits\":{\"hugepages-2Mi\":\"1024Mi\"},\"requests\":{\"hugepages-2Mi\":\"1Gi\"}}")]
    [InlineData("spec|initContainers", "[{\"name\":\"app\",\"ports\":[{\"containerPort\":8080}]}]")]
    [InlineData("spec|containers|1", "{\"name\":\"app\",\"ports\":[{\"containerPort\":8080,\"protocol\":\"UDP\"},{\"containerPort\":\"x\"},null]}")]
    public void What_does_not_contradict_is_let_through(string where, string value)
    {
        var pod = Pod();
        Set(pod, where, value);
        Decide(pod).Causes.ShouldBeEmpty();
    }

    // Whoever may create a pod could keep the Webhook busy with one that costs the square of its length.
    [Theory]
    [InlineData(Host + "ports", "{\"containerPort\":7000}")]
    [InlineData(Host + "env", "{\"name\":\"A\"}")]
    [InlineData(Host + "volumeMounts", "{\"mountPath\":\"/a/b\"}")]
    [InlineData("spec|volumes", "{\"name\":\"a\"}")]
    [InlineData("spec|affinity", "{\"matchFields\":[1]}")]
    public void A_pod_as_long_as_a_request_may_be_takes_no_longer_than_its_length(string where, string item)
    {
        var pod = Pod();
        Settings(pod, settings =>
        {
            settings["ports"] = new JsonArray([.. Enumerable.Range(20000, 100).Select(port => (JsonNode)port)]);
            settings["secrets"] = new JsonArray([.. Enumerable.Range(0, 100).Select(i => (JsonNode)new JsonObject { ["name"] = $"s{i}" })]);
        });
        var items = $"[{string.Join(',', Enumerable.Repeat(item, 100_000))}]";
        Set(pod, where, where == "spec|affinity" ? $"{{\"nodeAffinity\":{{\"requiredDuringSchedulingIgnoredDuringExecution\":{{\"nodeSelectorTerms\":{items}}}}}}}" : items);
        var request = Patched.Request(pod);
        var clock = Stopwatch.StartNew();
        Injection.Decide(request).Causes.ShouldBeEmpty();
        // Less than a second, even on a busy machine. Where the square counts, half a minute is not enough.
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    private static JsonNode Pod() => Corpus.Read("pod-deployment");

    private static void Settings(JsonNode pod, Action<JsonNode> change)
    {
        var annotations = pod["metadata"]!["annotations"]!;
        var settings = JsonNode.Parse((string)annotations["k8s.oblv.com/enclave"]!)!;
        change(settings);
        annotations["k8s.oblv.com/enclave"] = settings.ToJsonString();
    }

    private static void Set(JsonNode pod, string where, string value)
    {
        var steps = where.Split('|');
        var parent = steps[..^1].Aggregate(pod, (node, step) => node is JsonArray array ? array[int.Parse(step, null)]! : node[step]!);
        if (parent is JsonArray list && list.Count == int.Parse(steps[^1], null))
            list.Add(JsonNode.Parse(value));
        else
            parent[steps[^1]] = JsonNode.Parse(value);
    }

    private static AdmissionDecision Decide(JsonNode pod) => Injection.Decide(Patched.Request(pod));

    private static IReadOnlyList<AdmissionCause> Refused(JsonNode pod)
    {
        var decision = Decide(pod);
        decision.Allowed.ShouldBeFalse();
        return decision.Causes;
    }
}
