using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Health;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Health;

public sealed class KubeletEventTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    // As kubelets of 1.20 and of later versions put it.
    [Theory]
    [InlineData("""MountVolume.SetUp failed for volume "enclave-secrets" : secret "login" not found""", "SecretMissing", "the Secret login,")]
    [InlineData("""MountVolume.SetUp failed for volume "enclave-secrets" : [secret "login" not found, secret "other" not found]""", "SecretMissing", "the Secret login,")]
    [InlineData("""MountVolume.SetUp failed for volume "enclave-secrets" : references non-existent secret key: .dockerconfigjson""", "SecretKeyMissing", "the key .dockerconfigjson, which the Secret login does not have")]
    [InlineData("""MountVolume.SetUp failed for volume "enclave-secrets" : references non-existent secret key: token""", "SecretKeyMissing", "the key token, which the Secret api or web does not have")]
    [InlineData("""MountVolume.SetUp failed for volume "mine" : references non-existent secret key: else""", "SecretKeyMissing", "the key else, which a Secret of its volume mine does not have")]
    [InlineData("""MountVolume.SetUp failed for volume "manifest" : configmap "hello-manifest-0" not found""", "ConfigMapMissing", "the ConfigMap hello-manifest-0,")]
    [InlineData("""MountVolume.SetUp failed for volume "manifest" : configmap references non-existent config key: manifest.json""", "ConfigMapKeyMissing", "the key manifest.json, which a ConfigMap of its volume manifest")]
    [InlineData("""Unable to attach or mount volumes: unmounted volumes=[a], unattached volumes=[a b]: timed out waiting for the condition""", "HostNotStarted", "timed out waiting")]
    public void A_mount_that_fails(string message, string reason, string says)
    {
        var trouble = KubeletEvent.Trouble(Pod(), [new(Noon, "FailedMount", message), new(Noon.AddSeconds(-1), "Scheduled", "assigned")]).ShouldNotBeNull();
        trouble.Reason.ShouldBe(reason);
        trouble.Message.ShouldContain(says);
        trouble.Message.ShouldContain("od default/a");
        trouble.Message.ShouldEndWith(".");
    }

    [Fact]
    public void What_names_an_object_says_more_than_what_only_waited_for_it()
    {
        KubeletEvent named = new(Noon, "FailedMount", """MountVolume.SetUp failed for volume "s" : secret "login" not found""");
        KubeletEvent waited = new(Noon.AddMinutes(2), "FailedMount", "Unable to attach or mount volumes: timed out waiting for the condition");
        KubeletEvent.Trouble(Pod(), [named, waited]).ShouldNotBeNull().Reason.ShouldBe("SecretMissing");
    }

    [Fact]
    public void What_is_over_is_not_told_any_more() => KubeletEvent.Trouble(Pod(),
    [
        new(Noon, "FailedMount", """MountVolume.SetUp failed for volume "s" : secret "login" not found"""),
        new(Noon.AddSeconds(4), "Pulling", "Pulling image"),
    ]).ShouldBeNull();

    [Fact]
    public void A_sandbox_that_cannot_be_made_is_told_in_the_kubelets_words() => KubeletEvent.Trouble(Pod(),
        [new(Noon, "FailedCreatePodSandBox", "Failed to create pod sandbox: network plugin is not ready")]).ShouldNotBeNull().Message.ShouldContain("network plugin is not ready");

    [Fact]
    public void A_pod_of_which_nothing_is_said_is_no_trouble()
    {
        KubeletEvent.Trouble(Pod(), []).ShouldBeNull();
        KubeletEvent.Trouble(Pod(), [new(Noon, "FailedScheduling", "0/1 nodes"), new(Noon.AddSeconds(1), "Scheduled", "assigned")]).ShouldBeNull();
    }

    [Fact]
    public void A_pod_with_a_forged_annotation_is_told_of_all_the_same() => KubeletEvent.Trouble(Pod("[1"),
        [new(Noon, "FailedMount", """MountVolume.SetUp failed for volume "s" : references non-existent secret key: k""")]).ShouldNotBeNull().Reason.ShouldBe("SecretKeyMissing");

    private static LiveObject Pod(string? settings = null)
    {
        settings ??= new EnclaveSettings
        {
            CpuCount = 2, MemoryMiB = 1024, HugepageSize = "2Mi", Ports = [], DebugMode = false, PullSecrets = ["login"],
            Secrets = [new SecretNeed { Name = "api", Keys = ["token"] }, new SecretNeed { Name = "web", Keys = ["a", "token"] }, new SecretNeed { Name = "maybe", Keys = ["token"], Optional = true }],
        }.ToJson();
        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "a", ["namespace"] = "default", ["uid"] = "u", ["annotations"] = new JsonObject { [NedAnnotations.Enclave] = settings } },
        };
        using var document = JsonDocument.Parse(pod.ToJsonString());
        return LiveObject.From(document.RootElement.Clone())!;
    }
}
