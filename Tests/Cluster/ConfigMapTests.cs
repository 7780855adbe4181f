using System.Text.Json.Nodes;
using Enclaves.Api;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What a NED takes from ConfigMaps is part of its manifest: their change is a rollout, and their absence is told.</summary>
public sealed class ConfigMapTests(ClusterFixture cluster)
{
    [Fact]
    public async Task A_change_of_a_value_is_a_new_manifest_and_a_change_beside_it_is_nothing()
    {
        await using var space = await TestNamespace.Create(cluster);
        await space.CreateConfigMap("settings", ("colour", "blue"), ("other", "1"));
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Referring());
        var before = await space.Reconciled(explain: () => reconciler.Log);
        (await space.ManifestInUse()).ShouldContain("""{"name":"COLOUR","value":"blue"}""");

        await space.Settled();
        var writes = reconciler.Proxy.Writes.Count;
        await space.PatchConfigMap("settings", """{"data":{"other":"2"}}""");
        await space.PatchConfigMap("settings", """{"data":{"colour":"red"}}""");
        await Wait.Until("the new value is in use", async () => (await space.ManifestInUse()).Contains("red", StringComparison.Ordinal), explain: () => reconciler.Log);
        await Wait.Until("the status names its digest", async () =>
            (string?)(await space.Ned())["status"]!["manifestDigest"] != (string?)before["status"]!["manifestDigest"]);
        // The other key's change wrote nothing: one manifest and one Deployment were applied.
        reconciler.Proxy.Writes.Skip(writes).Count(write => write.StartsWith("PATCH", StringComparison.Ordinal) && !write.EndsWith("/status", StringComparison.Ordinal)
            && !write.Contains("/events", StringComparison.Ordinal)).ShouldBe(2, reconciler.Log);
    }

    [Theory]
    [InlineData(false, "ConfigMapMissing", "there is no ConfigMap")]
    [InlineData(true, "ConfigMapKeyMissing", "has no key colour")]
    public async Task What_is_missing_is_told_and_noticed_when_it_comes(bool exists, string reason, string sentence)
    {
        await using var space = await TestNamespace.Create(cluster);
        if (exists)
            await space.CreateConfigMap("settings", ("other", "1"));
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Referring());
        var ned = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        ned.ConditionText("Scheduled").ShouldBe($"False {reason}");
        ned.ConditionText("Stalled").ShouldBe($"True {reason}");
        ((string)ned.Condition("Scheduled")["message"]!).ShouldStartWith("spec.userPlugins[0].env[0].valueFrom.configMapKeyRef: ");
        ((string)ned.Condition("Scheduled")["message"]!).ShouldContain(sentence);
        (await space.Deployment()).ShouldBeNull();

        if (exists)
            await space.PatchConfigMap("settings", """{"data":{"colour":"green"}}""");
        else
            await space.CreateConfigMap("settings", ("colour", "green"));
        await space.Reconciled(explain: () => reconciler.Log);
        (await space.ManifestInUse()).ShouldContain("green");
        await space.Told([reason, "ManifestCreated", "DeploymentAccepted"]);
    }

    [Fact]
    public async Task One_that_is_deleted_is_told_and_what_ran_before_goes_on()
    {
        await using var space = await TestNamespace.Create(cluster);
        await space.CreateConfigMap("settings", ("colour", "blue"));
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Referring());
        await space.Reconciled(explain: () => reconciler.Log);
        var manifest = await space.ManifestInUse();
        await space.DeleteConfigMap("settings");
        await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        (await space.ManifestInUse()).ShouldBe(manifest);
    }

    [Fact]
    public async Task An_optional_one_is_left_out_until_it_exists()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Referring(optional: true));
        await space.Reconciled(explain: () => reconciler.Log);
        (await space.ManifestInUse()).ShouldContain("\"env\":[]");
        await space.CreateConfigMap("settings", ("colour", "green"));
        await Wait.Until("its value is in use", async () => (await space.ManifestInUse()).Contains("green", StringComparison.Ordinal), explain: () => reconciler.Log);
    }

    private static JsonObject Referring(bool optional = false)
    {
        var ned = Neds.Valid();
        ned["spec"]!["userPlugins"]![0]!["env"] = new JsonArray(new JsonObject
        {
            ["name"] = "COLOUR",
            ["valueFrom"] = new JsonObject { ["configMapKeyRef"] = new JsonObject { ["name"] = "settings", ["key"] = "colour", ["optional"] = optional } },
        });
        return ned;
    }
}
