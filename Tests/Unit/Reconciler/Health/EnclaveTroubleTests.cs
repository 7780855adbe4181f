using System.Text;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Health;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Health;

public sealed class EnclaveTroubleTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    // As an Orchestrator reports containers, and EnclaveHost hands them on.
    [Theory]
    [InlineData("""{"state":"Waiting","reason":"ErrImagePull","message":"not found"}""", "PluginImagePull", "image x:1: not found;")]
    [InlineData("""{"state":"Waiting","reason":"ImagePullBackOff","message":"waiting 20 s after: not found"}""", "PluginImagePull", "image x:1: not found;")]
    [InlineData("""{"state":"Waiting","reason":"PullingImage","message":"waiting 20 s after: not found"}""", "PluginImagePull", "image x:1: not found;")]
    [InlineData("""{"state":"Waiting","reason":"RunContainerError","message":"no such file"}""", "PluginNotStarted", "no such file")]
    [InlineData("""{"state":"Waiting","reason":"CrashLoopBackOff","message":"back-off 10 s","restarts":3,"lastTermination":{"exitCode":1,"reason":"Error"}}""", "PluginRestarting", "3 restarts so far, the last time with exit code 1 (Error)")]
    [InlineData("""{"state":"Running","reason":"","restarts":3,"startedAt":"2030-01-01T11:59:59Z","lastTermination":{"exitCode":137,"reason":"OOMKilled"}}""", "PluginRestarting", "exit code 137 (OOMKilled)")]
    [InlineData("""{"state":"Terminated","reason":"Error","lastTermination":{"exitCode":2,"reason":""}}""", "PluginUnhealthy", "exit code 2 (no reason) and its restart policy leaves it so")]
    [InlineData("""{"state":"Running","startedAt":"2030-01-01T11:59:00Z"}""", "PluginUnhealthy", "does not accept connections")]
    [InlineData("""{"state":"Running","message":"readiness probe failed: HTTP status 503 from /up","restarts":1,"startedAt":"2030-01-01T11:59:00Z","lastTermination":{"exitCode":1}}""", "PluginUnhealthy", "not ready: readiness probe failed: HTTP status 503 from /up;")]
    [InlineData("""{"state":"Waiting","reason":"CrashLoopBackOff","restarts":3,"lastTermination":{"exitCode":0,"reason":"LivenessProbeFailed","message":"liveness probe failed: refused"}}""", "PluginRestarting", "exit code 0 (LivenessProbeFailed), since its liveness probe failed: refused;")]
    [InlineData("""{"state":"Terminated","reason":"Completed","lastTermination":{"exitCode":0,"reason":"LivenessProbeFailed","message":"liveness probe failed: refused"}}""", "PluginUnhealthy", "since its liveness probe failed: refused and its restart policy leaves it so")]
    [InlineData("""{"state":"Waiting","reason":"CreateContainerConfigError","message":"variable A: there is no key b in a Secret c"}""", "PluginNotStarted", "there is no key b in a Secret c")]
    public void A_plugin_that_is_not_well(string plugin, string reason, string says)
    {
        var trouble = Of($$"""{"state":"ManifestSynced","containers":[{"name":"fine","ready":true},{"name":"web","image":"x:1",{{plugin[1..]}}]}""").ShouldNotBeNull();
        trouble.Reason.ShouldBe(reason);
        trouble.Message.ShouldStartWith("Plugin web in the enclave of pod default/a ");
        trouble.Message.ShouldContain(says);
        trouble.Message.ShouldEndWith(".");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"state":"Booting","containers":null,"transitions":null}""")]
    [InlineData("""{"state":"ManifestSynced","containers":[null,{"name":"web","state":"Waiting","reason":"PullingImage","message":""}]}""")]
    [InlineData("""{"state":"ManifestSynced","containers":[{"name":"web","state":"Waiting","reason":"ContainerCreating"}]}""")]
    [InlineData("""{"state":"ManifestSynced","containers":[{"name":"web","state":"Running","startedAt":"2030-01-01T11:59:55Z"}]}""")]
    [InlineData("""{"state":"ManifestSynced","containers":[{"name":"job","state":"Terminated","lastTermination":{"exitCode":0}}]}""")]
    [InlineData("""{"state":"Running","containers":[{"name":"web","state":"Waiting","reason":"ContainerCreating","lastTermination":{"exitCode":143,"reason":"SecretRotated","message":"a Secret that it uses has changed"}}]}""")]
    public void An_enclave_that_only_starts(string status) => Of(status).ShouldBeNull();

    [Fact]
    public void An_enclave_that_does_not_answer_is_told_of_in_the_same_words_each_time()
    {
        PodTroubleText(1).ShouldBe(PodTroubleText(2));
        static string PodTroubleText(int misses) => Of(
            $$$"""{"state":"Unhealthy","health":{"healthy":false,"reason":"NoAnswer","message":"{{{misses}}} health checks in a row without an answer: deadline exceeded"}}""").ShouldNotBeNull().Message;
    }

    [Fact]
    public void An_enclave_that_never_answered_is_told_of_also_while_it_boots_again()
    {
        const string moves = """[{"from":"Starting","to":"Booting","reason":"Boot"},{"from":"Booting","to":"Starting","reason":"EnclaveEnded","message":"qemu exited with code 1"}""";
        foreach (var status in new[] { $$"""{"state":"Starting","transitions":{{moves}}]}""", $$"""{"state":"Booting","transitions":{{moves}},{"from":"Starting","to":"Booting","reason":"Boot"}]}""" })
        {
            var trouble = Of(status).ShouldNotBeNull();
            trouble.Reason.ShouldBe("EnclaveBootFailed");
            trouble.Message.ShouldContain("qemu exited with code 1");
        }
    }

    [Fact]
    public void An_enclave_that_answered_before_it_ended_is_told_of_until_it_is_well_again()
    {
        const string moves = """
            [{"to":"Booting","reason":"Boot"},{"to":"Booted"},{"to":"ManifestSynced"},{"to":"Running"},{"to":"Unhealthy","reason":"EnclaveEnded"},
            {"to":"Starting","reason":"EnclaveEnded","message":"out of memory"}
            """;
        Of($$"""{"state":"Starting","transitions":{{moves}}]}""").ShouldNotBeNull().Reason.ShouldBe("EnclaveCrashLooping");
        Of($$"""{"state":"ManifestSynced","transitions":{{moves}},{"to":"Booting"},{"to":"Booted"},{"to":"ManifestSynced"}]}""").ShouldNotBeNull().Reason.ShouldBe("EnclaveCrashLooping");
        Of($$"""{"state":"Unhealthy","transitions":{{moves}},{"to":"Booting"},{"to":"Booted"},{"to":"ManifestSynced"},{"to":"Running"},{"to":"Unhealthy"}]}""").ShouldBeNull();
    }

    [Fact]
    public void Words_of_a_hostile_enclave_stay_short_and_on_their_line()
    {
        var evil = new string('x', 100_000) + "\\u001b[2J\\n\\u202e";
        var trouble = Of($$"""{"state":"ManifestSynced","containers":[{"name":"{{evil}}","image":"\u001b[2J{{evil}}","state":"Waiting","reason":"ErrImagePull","message":"\n\u2028{{evil}}"}]}""").ShouldNotBeNull();
        trouble.Message.Length.ShouldBeLessThan(2000);
        trouble.Message.ShouldAllBe(character => !char.IsControl(character) && character != '\u2028' && character != '\u202e');
    }

    private static Enclaves.Reconciler.Status.PodTrouble? Of(string status) =>
        EnclaveTrouble.Of(new ObjectKey("default", "a"), EnclaveStatus.Parse(Encoding.UTF8.GetBytes(status)), Now);
}
