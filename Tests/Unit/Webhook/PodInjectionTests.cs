using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Webhook.Injection;
using Enclaves.Webhook.Review;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

public sealed class PodInjectionTests
{
    private static readonly InjectionOptions Options = new()
    {
        EnclaveHostImage = "registry.example/enclave-host:1",
        Driver = InjectionOptions.Qemu,
        SeccompProfile = "RuntimeDefault",
        AllowDestinations = "10.0.0.1/32",
    };

    [Fact]
    public void The_placeholder_becomes_an_enclave_pod()
    {
        var pod = Inject(Pod());
        var host = pod["spec"]!["containers"]![0]!;
        host.At("image").ShouldBe("registry.example/enclave-host:1");
        host.At("imagePullPolicy").ShouldBe("IfNotPresent");
        host.At("resources|limits|aws.ec2.nitro/nitro_enclaves").ShouldBe("1");
        host.At("resources|limits|hugepages-2Mi").ShouldBe("1Gi");
        host.At("resources|requests|hugepages-2Mi").ShouldBe("1Gi");
        host.At("env|ENCLAVE_MEMORY_MIB|value").ShouldBe("1024");
        host.At("env|ENCLAVE_ALLOW_DESTINATIONS|value").ShouldBe("10.0.0.1/32");
        host.At("env|ENCLAVE_STOP_GRACE|value").ShouldBe("25s");
        host.At("env|NODE_NAME|valueFrom|fieldRef|fieldPath").ShouldBe("spec.nodeName");
        host.At("ports|1|containerPort").ShouldBe("20000");
        host.At("readinessProbe|httpGet|path").ShouldBe("/readyz");
        host.At("securityContext|capabilities|drop|0").ShouldBe("ALL");
        host.At("securityContext|seccompProfile|type").ShouldBe("RuntimeDefault");
        var term = pod["spec"]!["affinity"]!["nodeAffinity"]!["requiredDuringSchedulingIgnoredDuringExecution"]!["nodeSelectorTerms"]!.AsArray().ShouldHaveSingleItem()!;
        term["matchExpressions"]!.ToJsonString().ShouldBe("""[{"key":"aws-nitro-enclaves-k8s-dp","operator":"In","values":["enabled"]}]""");
        pod.At("spec|securityContext|fsGroup").ShouldBe("65532");
        pod.At("spec|automountServiceAccountToken").ShouldBe("false");
        pod.At("spec|volumes|enclave-manifest|configMap|name").ShouldBe("demo-manifest-0123456789");
        pod.At("spec|volumes|enclave-hugepages|emptyDir|medium").ShouldBe("HugePages-2Mi");
        pod.At("spec|volumes|enclave-secrets|projected|sources|0|secret|items|0|path").ShouldBe("pull/.dockerconfigjson");
        pod.At("metadata|annotations|k8s.oblv.com/injected").ShouldBe("1.2.3");
    }

    [Fact]
    public void Every_volume_is_mounted_and_every_mount_has_its_volume()
    {
        var pod = Inject(Pod());
        var volumes = pod["spec"]!["volumes"]!.AsArray().Select(volume => (string)volume!["name"]!);
        pod["spec"]!["containers"]![0]!["volumeMounts"]!.AsArray().Select(mount => (string)mount!["name"]!).ShouldBe(volumes, ignoreOrder: true);
    }

    [Fact]
    public void Injecting_an_injected_pod_yields_no_patch()
    {
        Injection().Decide(Patched.Request(Inject(Pod()))).Patch.ShouldBeNull();
    }

    [Fact]
    public void What_the_api_server_fills_in_after_an_injection_yields_no_patch_either()
    {
        var pod = Inject(Pod());
        pod["spec"]!["volumes"]![0]!["configMap"]!["defaultMode"] = 420;
        pod["spec"]!["containers"]![0]!["env"]![0]!["valueFrom"]!["fieldRef"]!["apiVersion"] = "v1";
        pod["spec"]!["containers"]![0]!["readinessProbe"]!["successThreshold"] = 1;
        Injection().Decide(Patched.Request(pod)).Patch.ShouldBeNull();
    }

    [Fact]
    public void What_the_pod_has_stays()
    {
        var pod = Pod();
        pod["spec"]!["newer"] = new JsonObject { ["x"] = 1 };
        pod["spec"]!["nodeSelector"] = new JsonObject { ["zone"] = "a" };
        pod["spec"]!["volumes"] = new JsonArray(new JsonObject { ["name"] = "mine", ["emptyDir"] = new JsonObject() });
        pod["spec"]!["containers"]!.AsArray().Insert(0, new JsonObject { ["name"] = "sidecar", ["image"] = "mesh:1" });
        pod["spec"]!["containers"]![1]!["env"] = new JsonArray(new JsonObject { ["name"] = "MINE", ["value"] = "1" });
        var injected = Inject(pod);
        injected.At("spec|newer|x").ShouldBe("1");
        injected.At("spec|nodeSelector|zone").ShouldBe("a");
        injected.At("spec|volumes|mine|emptyDir").ShouldBe("{}");
        injected.At("spec|containers|sidecar").ShouldBe("""{"name":"sidecar","image":"mesh:1"}""");
        injected.At("spec|containers|enclave-host|env|MINE|value").ShouldBe("1");
        injected.At("spec|containers|enclave-host|env|POD_NAME|name").ShouldBe("POD_NAME");
        Injection().Decide(Patched.Request(injected)).Patch.ShouldBeNull();
    }

    [Fact]
    public void Settings_of_ours_win_and_a_chosen_image_stays()
    {
        var pod = Pod();
        var host = pod["spec"]!["containers"]![0]!;
        host["image"] = "registry.example/enclave-host:0";
        host["securityContext"] = new JsonObject { ["runAsUser"] = 0, ["privileged"] = true };
        var injected = Inject(pod);
        injected.At("spec|containers|enclave-host|image").ShouldBe("registry.example/enclave-host:0");
        injected.At("spec|containers|enclave-host|securityContext|runAsUser").ShouldBe("65532");
        injected.At("spec|containers|enclave-host|securityContext|privileged").ShouldBe("false");
    }

    [Theory]
    [InlineData("UPDATE", "true")]
    [InlineData("DELETE", "true")]
    [InlineData("CREATE", "false")]
    public void Other_pods_and_operations_are_left_alone(string operation, string label)
    {
        var pod = Pod();
        pod["metadata"]!["labels"]![NedLabels.Inject] = label;
        var decision = Injection().Decide(Patched.Request(pod, operation));
        (decision.Allowed, decision.Patch).ShouldBe((true, null));
    }

    [Theory]
    [InlineData(NedAnnotations.Enclave, null, "create a NitroEnclaveDeployment, whose pods have it, or write it into the pod template")]
    [InlineData(NedAnnotations.Enclave, "{", "same version")]
    [InlineData(NedAnnotations.Enclave, "{\"cpuCount\":2}", "same version")]
    [InlineData(NedAnnotations.Manifest, null, "must be the name of the ConfigMap")]
    [InlineData(NedAnnotations.Manifest, "demo-manifest-9999999999", "contradicts k8s.oblv.com/manifest-digest")]
    [InlineData(NedAnnotations.ManifestDigest, "abc", "96 lower-case hexadecimal digits")]
    public void Missing_and_contradictory_annotations_are_refused_with_what_to_do(string annotation, string? value, string sentence)
    {
        var pod = Pod();
        if (value is null)
            pod["metadata"]!["annotations"]!.AsObject().Remove(annotation);
        else
            pod["metadata"]!["annotations"]![annotation] = value;
        Refused(pod).ShouldContain(cause => cause.Field == $"metadata.annotations[{annotation}]" && cause.Message.Contains(sentence));
    }

    [Fact]
    public void A_pod_that_asks_for_what_an_enclave_pod_may_not_have_is_refused()
    {
        var pod = Pod();
        pod["spec"]!["automountServiceAccountToken"] = true;
        pod["spec"]!["hostNetwork"] = true;
        Refused(pod).Select(cause => cause.Field).ShouldBe(["spec.automountServiceAccountToken", "spec.hostNetwork"]);
        var other = Pod();
        other["spec"]!["containers"]![0]!["name"] = "app";
        Refused(other).ShouldHaveSingleItem().Field.ShouldBe("spec.containers");
        var mounted = Pod();
        mounted["spec"]!["containers"]![0]!["volumeMounts"] =
            new JsonArray(new JsonObject { ["name"] = "token", ["mountPath"] = "/var/run/secrets/kubernetes.io/serviceaccount" });
        Refused(mounted).ShouldHaveSingleItem().Field.ShouldBe("spec.automountServiceAccountToken");
    }

    [Fact]
    public void A_pod_without_spec_is_refused_and_never_thrown_at()
    {
        var pod = Pod();
        pod.AsObject().Remove("spec");
        Refused(pod).ShouldHaveSingleItem().Field.ShouldBe("spec.containers");
    }

    [Theory]
    [InlineData("metadata", "7", true)]
    [InlineData("metadata|labels", "[]", true)]
    [InlineData("metadata|labels|k8s.oblv.com/inject", "[\"true\"]", true)]
    [InlineData("metadata|annotations", "\"x\"", false)]
    [InlineData("metadata|annotations|k8s.oblv.com/manifest", "{}", false)]
    [InlineData("spec", "[]", false)]
    [InlineData("spec|containers", "[1,{\"name\":[\"enclave-host\"]}]", false)]
    [InlineData("spec|containers|0|image", "{}", true)]
    [InlineData("spec|containers|0|volumeMounts", "[1,[],{\"mountPath\":{}}]", true)]
    [InlineData("spec|containers|0|env", "[null,\"POD_NAME\",{\"name\":1e99999999999}]", true)]
    [InlineData("spec|terminationGracePeriodSeconds", "\"30\"", true)]
    [InlineData("spec|volumes", "{}", true)]
    public void What_has_the_wrong_type_is_left_for_the_schema_to_refuse_and_never_thrown_at(string where, string value, bool allowed)
    {
        var (pod, steps) = ((JsonNode)Pod(), where.Split('|'));
        var parent = steps[..^1].Aggregate(pod, (node, step) => node is JsonArray array ? array[int.Parse(step, null)]! : node[step]!);
        parent[steps[^1]] = JsonNode.Parse(value);
        Injection().Decide(Patched.Request(pod)).Allowed.ShouldBe(allowed);
    }

    private static IReadOnlyList<AdmissionCause> Refused(JsonNode pod)
    {
        var decision = Injection().Decide(Patched.Request(pod));
        decision.Allowed.ShouldBeFalse();
        return decision.Causes;
    }

    [Fact]
    public void A_chosen_enclave_image_is_a_file_beside_the_installations()
    {
        Inject(Pod())["spec"]!["containers"]![0]!.At("env|ENCLAVE_IMAGE").ShouldBeNull();
        Inject(Pod("base-2.eif"))["spec"]!["containers"]![0]!.At("env|ENCLAVE_IMAGE|value").ShouldBe("/opt/enclaves/image/base-2.eif");
    }

    [Theory]
    [InlineData("../etc/passwd.eif")]
    [InlineData("/base.eif")]
    [InlineData(".eif")]
    [InlineData("base")]
    [InlineData("registry.example/base@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void An_enclave_image_that_is_no_name_of_a_file_is_refused(string image) =>
        Refused(Pod(image)).ShouldContain(cause => cause.Message.Contains("allowed in this version is the name of an EIF in the EnclaveHost image", StringComparison.Ordinal));

    private static PodInjection Injection() => new(Options, "1.2.3");

    private static JsonNode Inject(JsonNode pod) => Patched.Apply(pod, Injection().Decide(Patched.Request(pod)));

    private static JsonObject Pod(string? image = null)
    {
        var settings = EnclaveSettings.Of(new NitroEnclaveDeploymentSpec
        {
            Enclave = new EnclaveSpec { Image = image },
            UserPlugins = [new UserPlugin { Name = "a", Image = "b", ImagePullSecret = "pull", Ports = [new PluginPort { ContainerPort = 1, HostPort = 80 }] }],
        });
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["generateName"] = "demo-5c4d-",
                ["labels"] = new JsonObject { [NedLabels.Inject] = "true" },
                ["annotations"] = new JsonObject
                {
                    [NedAnnotations.Enclave] = settings.ToJson(),
                    [NedAnnotations.Manifest] = "demo-manifest-0123456789",
                    [NedAnnotations.ManifestDigest] = "0123456789" + new string('a', 86),
                },
            },
            ["spec"] = new JsonObject
            {
                ["terminationGracePeriodSeconds"] = 30,
                ["containers"] = new JsonArray(new JsonObject { ["name"] = "enclave-host", ["image"] = "auto", ["imagePullPolicy"] = "Always", ["resources"] = new JsonObject() }),
            },
        };
    }
}
