using System.Text.Json.Nodes;
using Enclaves.Webhook.Injection;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

/// <summary>Injection serves the pods of whatever makes them: the corpus has one of each.</summary>
public sealed class PodShapeTests
{
    private static readonly InjectionOptions Nitro = new()
    {
        EnclaveHostImage = "registry.example/enclave-host:1",
        DeviceGroup = 992,
        CpuResource = "aws.ec2.nitro/nitro_enclaves_cpus",
    };

    private static readonly InjectionOptions Qemu = Nitro with { Driver = InjectionOptions.Qemu, SeccompProfile = "RuntimeDefault", CpuResource = "", DeviceGroup = 0 };

    [Fact]
    public void A_nitro_pod_asks_for_what_the_device_plugin_advertises_and_little_else()
    {
        var host = Host(Inject("pod-deployment", Nitro));
        host.At("resources|limits").ShouldBe("""{"aws.ec2.nitro/nitro_enclaves":"1","hugepages-2Mi":"1Gi","memory":"256Mi","aws.ec2.nitro/nitro_enclaves_cpus":"2"}""");
        host.At("resources|requests").ShouldBe("""{"cpu":"100m","memory":"128Mi","aws.ec2.nitro/nitro_enclaves":"1","hugepages-2Mi":"1Gi","aws.ec2.nitro/nitro_enclaves_cpus":"2"}""");
        host.At("securityContext|seccompProfile|localhostProfile").ShouldBe("enclaves/enclave-host.json");
        Inject("pod-deployment", Nitro).At("spec|securityContext").ShouldBe("""{"fsGroup":65532,"supplementalGroups":[992]}""");
    }

    [Fact]
    public void A_virtual_machine_runs_on_the_cpus_of_its_pod()
    {
        Host(Inject("pod-deployment", Qemu)).At("resources|requests|cpu").ShouldBe("2100m");
        Host(Inject("pod-deployment", Qemu with { HostCpu = 500, MachineCpu = 250 })).At("resources|requests|cpu").ShouldBe("1");
    }

    [Fact]
    public void The_pod_of_a_stateful_set_keeps_its_claims_its_groups_and_its_grace()
    {
        var pod = Inject("pod-statefulset", Nitro);
        pod.At("spec|volumes|data|persistentVolumeClaim|claimName").ShouldBe("data-ledger-0");
        pod.At("spec|hostname").ShouldBe("ledger-0");
        pod.At("spec|securityContext").ShouldBe("""{"fsGroup":2000,"fsGroupChangePolicy":"OnRootMismatch","supplementalGroups":[3000,992]}""");
        // Longer than EnclaveHost takes: it stops in the time that it knows, and the rest is spare.
        Host(pod).At("env|ENCLAVE_STOP_GRACE|value").ShouldBe("3600s");
        Host(pod).At("resources|limits|hugepages-1Gi").ShouldBe("4Gi");
        Host(pod).At("resources|limits|example.com/fpga").ShouldBe("1");
        pod.At("spec|volumes|enclave-hugepages|emptyDir|medium").ShouldBe("HugePages-1Gi");
    }

    [Fact]
    public void Keys_are_files_in_a_folder_named_after_their_secret_and_whole_secrets_have_a_volume_of_their_own()
    {
        var pod = Inject("pod-statefulset", Nitro);
        pod.At("spec|volumes|enclave-secrets|projected|sources").ShouldBe(
            """[{"secret":{"name":"db","items":[{"key":"password","path":"db/password"},{"key":"user","path":"db/user"}]}},"""
            + """{"secret":{"name":"db","items":[{"key":"ca.crt","path":"db/ca.crt"}],"optional":true}}]""");
        pod.At("spec|volumes|enclave-secret-0|projected|sources").ShouldBe(
            """[{"secret":{"name":"certs","items":[{"key":"tls.key","path":"tls.key"}]}},{"secret":{"name":"certs"}}]""");
        Host(pod)["volumeMounts"]!.AsArray().Select(mount => mount!.ToJsonString()).ShouldContain("""{"name":"enclave-secrets","mountPath":"/etc/enclave/secrets","readOnly":true}""");
        Host(pod)["volumeMounts"]!.AsArray().Select(mount => mount!.ToJsonString()).ShouldContain("""{"name":"enclave-secret-0","mountPath":"/etc/enclave/secrets/certs","readOnly":true}""");
    }

    [Fact]
    public void The_pod_of_a_job_stays_one_that_is_not_restarted()
    {
        var pod = Inject("pod-job", Nitro);
        pod.At("spec|restartPolicy").ShouldBe("Never");
        pod.At("spec|activeDeadlineSeconds").ShouldBe("600");
        pod.At("metadata|finalizers").ShouldBe("""["batch.kubernetes.io/job-tracking"]""");
        ((string?)Host(pod)["env"]![0]!["valueFrom"]!["fieldRef"]!["fieldPath"]).ShouldBe("metadata.annotations['batch.kubernetes.io/job-completion-index']");
    }

    [Fact]
    public void The_nodes_label_is_asked_for_in_every_term_that_selects_nodes()
    {
        const string ours = """{"key":"aws-nitro-enclaves-k8s-dp","operator":"In","values":["enabled"]}""";
        Inject("pod-mesh", Nitro).At("spec|affinity|nodeAffinity|requiredDuringSchedulingIgnoredDuringExecution|nodeSelectorTerms").ShouldBe(
            $$"""[{"matchExpressions":[{"key":"topology.kubernetes.io/zone","operator":"In","values":["a","b"]},{{ours}}]},"""
            + $$"""{"matchFields":[{"key":"metadata.name","operator":"In","values":["node-1"]}],"matchExpressions":[{{ours}}]},{}]""");
    }

    [Fact]
    public void A_mesh_may_lead_the_probes_of_an_injected_pod_through_its_sidecar()
    {
        var pod = Inject("pod-mesh", Nitro);
        Host(pod)["readinessProbe"]!["httpGet"]!["path"] = "/app-health/enclave-host/readyz";
        Host(pod)["readinessProbe"]!["httpGet"]!["port"] = 15020;
        Injection(Nitro).Decide(Patched.Request(pod)).Patch.ShouldBeNull();
    }

    [Fact]
    public void A_pod_that_another_version_has_injected_becomes_one_of_this_version()
    {
        var pod = Inject("pod-injected-before", Qemu);
        pod.At("metadata|annotations|k8s.oblv.com/injected").ShouldBe("1.2.3");
        Host(pod).At("image").ShouldBe("registry.example/enclave-host:0.1");
        // Beside the affinity it says the same once more.
        pod.At("spec|nodeSelector|aws-nitro-enclaves-k8s-dp").ShouldBe("enabled");
        Host(pod).At("resources|requests|cpu").ShouldBe("2100m");
        var once = Inject("pod-deployment", Qemu);
        pod.At("spec|volumes").ShouldBe(once.At("spec|volumes"));
        Host(pod).At("volumeMounts").ShouldBe(Host(once).At("volumeMounts"));
    }

    private static PodInjection Injection(InjectionOptions options) => new(options, "1.2.3");

    private static JsonNode Inject(string name, InjectionOptions options)
    {
        var pod = Corpus.Read(name);
        return Patched.Apply(pod, Injection(options).Decide(Patched.Request(pod)));
    }

    private static JsonNode Host(JsonNode pod) => pod["spec"]!["containers"]!.AsArray().Single(container => (string)container!["name"]! == "enclave-host")!;
}
