using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Channel.Manifest;
using Enclaves.Webhook.Review;
using Enclaves.Webhook.Validation;
using k8s;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

public sealed class NedValidationTests
{
    private const string Digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string Valid = "{\"metadata\":{\"name\":\"demo\"},\"spec\":{\"enclave\":{},\"userPlugins\":[{\"name\":\"a\",\"image\":\"b" + Digest
        + "\",\"env\":[{\"name\":\"A.b-c\"}],\"ports\":[{\"containerPort\":8080,\"hostPort\":80}],\"outboundConnections\":[{\"fqdn\":\"x.example\",\"port\":443}]},"
        + "{\"name\":\"c\",\"image\":\"d" + Digest + "\"}]}}";

    [Fact]
    public void A_valid_object_passes_without_a_warning()
    {
        var decision = NedValidation.Decide(Patched.Request(JsonNode.Parse(Valid)));
        decision.Causes.ShouldBeEmpty();
        decision.Warnings.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("metadata|name", "\"averyveryveryveryveryveryveryveryveryverylong1\"", "metadata.name", "allowed are 43")]
    [InlineData("metadata|name", "\"1a\"", "metadata.name", "a letter first")]
    [InlineData("spec|userPlugins", "[]", "spec.userPlugins", "at least one plugin")]
    [InlineData("spec|userPlugins", "[null]", "spec.userPlugins", "null")]
    [InlineData("spec|enclave|cpuCount", "3", "spec.enclave.cpuCount", "even")]
    [InlineData("spec|enclave|cpuCount", "0", "spec.enclave.cpuCount", "even")]
    [InlineData("spec|enclave|memory", "\"63Mi\"", "spec.enclave.memory", "64Mi and more")]
    [InlineData("spec|enclave|memory", "\"65Mi\"", "spec.enclave.memory", "multiple of hugepageSize 2Mi")]
    [InlineData("spec|enclave|memory", "\"a lot\"", "spec.enclave.memory", "not a quantity")]
    [InlineData("spec|enclave|hugepageSize", "\"1Gi\",\"memory\":\"1536Mi\"", "spec.enclave.memory", "or set spec.enclave.hugepageSize to 2Mi")]
    [InlineData("spec|enclave|hugepageSize", "\"4Ki\"", "spec.enclave.hugepageSize", "2Mi and 1Gi")]
    [InlineData("spec|enclave|registries", "[\"ok.example:443\",\"https://x\"]", "spec.enclave.registries[1]", "host name")]
    [InlineData("spec|enclave|image", "\"other\"", "spec.enclave.image", "base.eif, or an OCI reference with a digest")]
    [InlineData("spec|userPlugins|1|name", "\"A\"", "spec.userPlugins[1].name", "DNS label")]
    [InlineData("spec|userPlugins|1|name", "\"a\"", "spec.userPlugins[1].name", "already used by spec.userPlugins[0].name")]
    [InlineData("spec|userPlugins|1|name", "\"image-pull\"", "spec.userPlugins[1].name", "any other name")]
    [InlineData("spec|userPlugins|1|image", "\"r.example:70000/app\"", "spec.userPlugins[1].image", "1 to 65535")]
    [InlineData("spec|userPlugins|1|image", "\"NOT an image\"", "spec.userPlugins[1].image", "allowed is")]
    [InlineData("spec|userPlugins|1|imagePullSecret", "\"No\"", "spec.userPlugins[1].imagePullSecret", "name of an object")]
    [InlineData("spec|userPlugins|1|restartPolicy", "\"Sometimes\"", "spec.userPlugins[1].restartPolicy", "OnFailure")]
    [InlineData("spec|userPlugins|0|env", "[{\"name\":\"1=\"}]", "spec.userPlugins[0].env[0].name", "environment variable")]
    [InlineData("spec|userPlugins|1|ports", "[{\"containerPort\":0}]", "spec.userPlugins[1].ports[0].containerPort", "1 to 65535")]
    [InlineData("spec|userPlugins|1|ports", "[{\"containerPort\":1,\"hostPort\":65536}]", "spec.userPlugins[1].ports[0].hostPort", "1 to 65535")]
    [InlineData("spec|userPlugins|1|ports", "[{\"containerPort\":8080}]", "spec.userPlugins[1].ports[0].containerPort", "one network")]
    [InlineData("spec|userPlugins|1|ports", "[{\"containerPort\":1,\"hostPort\":80}]", "spec.userPlugins[1].ports[0].hostPort", "one Service")]
    [InlineData("spec|userPlugins|1|ports", "[{\"containerPort\":1,\"hostPort\":81,\"name\":\"port-80\"}]", "spec.userPlugins[1].ports[0].name", "already used")]
    [InlineData("spec|userPlugins|1|outboundConnections", "[{\"fqdn\":\"*.x\",\"port\":443}]", "spec.userPlugins[1].outboundConnections[0].fqdn", "wildcard")]
    [InlineData("spec|userPlugins|1|outboundConnections", "[{\"fqdn\":\"1.2.3\",\"port\":443}]", "spec.userPlugins[1].outboundConnections[0].fqdn", "IP address")]
    [InlineData("spec|userPlugins|1|outboundConnections", "[{\"fqdn\":\"x\",\"port\":0}]", "spec.userPlugins[1].outboundConnections[0].port", "1 to 65535")]
    [InlineData("spec|userPlugins|1|ports", "[{\"containerPort\":443}]", "spec.userPlugins[1].ports[0].containerPort", "leads to x.example, an outbound connection of a")]
    [InlineData("spec|enclave|registries", "[\"r.example:8080\"]", "spec.userPlugins[0].ports[0].containerPort", "leads to r.example, one of spec.enclave.registries")]
    [InlineData("spec|restartPolicy", "\"always\"", "spec.restartPolicy", "Always")]
    [InlineData("spec|service", "{\"type\":\"ExternalName\"}", "spec.service.type", "ClusterIP")]
    [InlineData("spec|replicas", "-1", "spec.replicas", "0 and more")]
    [InlineData("spec|minReadySeconds", "600", "spec.progressDeadlineSeconds", "601 and more")]
    [InlineData("spec|strategy", "{\"type\":\"Blue\"}", "spec.strategy.type", "Recreate")]
    [InlineData("spec|strategy", "{\"rollingUpdate\":{\"maxSurge\":0,\"maxUnavailable\":\"0%\"}}", "spec.strategy.rollingUpdate.maxUnavailable", "may not be 0")]
    [InlineData("spec|strategy", "{\"rollingUpdate\":{\"maxSurge\":\"all\"}}", "spec.strategy.rollingUpdate.maxSurge", "percentage")]
    [InlineData("spec|paused", "\"yes\"", "spec.paused", "schema")]
    [InlineData("spec|strategy", "{\"rollingUpdate\":{\"maxSurge\":{}}}", "object", "schema")]
    [InlineData("metadata|labels", "{\"a\":1}", "metadata.labels.a", "schema")]
    [InlineData("spec|userPlugins|1|ports", "[{\"containerPort\":1},null]", "spec.userPlugins[1].ports", "null")]
    [InlineData("spec|userPlugins|0|env", "[null]", "spec.userPlugins[0].env", "null")]
    public void A_bad_field_is_refused_with_its_path_and_what_is_allowed(string where, string value, string field, string allowed)
    {
        var decision = NedValidation.Decide(Patched.Request(With(where, value)));
        decision.Allowed.ShouldBeFalse();
        decision.Causes.ShouldHaveSingleItem().Field.ShouldBe(field);
        decision.Causes[0].Message.ShouldContain(allowed);
    }

    [Fact]
    public void All_errors_are_answered_at_once()
    {
        var ned = With("spec|enclave|cpuCount", "3");
        ned["spec"]!["userPlugins"]![0]!["image"] = "Bad Image";
        ned["spec"]!["userPlugins"]![1]!["name"] = "-";
        NedValidation.Decide(Patched.Request(ned)).Causes.Select(cause => cause.Field)
            .ShouldBe(["spec.enclave.cpuCount", "spec.userPlugins[0].image", "spec.userPlugins[1].name"], ignoreOrder: true);
    }

    [Fact]
    public void What_works_but_should_not_be_done_is_a_warning()
    {
        var ned = With("spec|enclave|debugMode", "true");
        ned["spec"]!["userPlugins"]![1]!["image"] = "registry.example/app:latest";
        var decision = NedValidation.Decide(Patched.Request(ned));
        decision.Allowed.ShouldBeTrue();
        decision.Warnings.Count.ShouldBe(2);
        decision.Warnings.ShouldContain(warning => warning.StartsWith("spec.enclave.debugMode: "));
        decision.Warnings.ShouldContain(warning => warning.StartsWith("spec.userPlugins[1].image: ") && warning.Contains("digest"));
    }

    [Theory]
    [InlineData("""{"name":"a","image":"b"}""")]
    [InlineData("""{"name":"a","image":"b","env":[ENV{"name":"A"}],"ports":[PORT{"containerPort":1}],"outboundConnections":[OUT{"fqdn":"x","port":1}]}""")]
    public void No_manifest_is_more_times_longer_than_its_object_than_validation_takes_for_granted(string plugin)
    {
        string Many(string item) => string.Concat(Enumerable.Repeat(item + ",", 60));
        plugin = plugin.Replace("ENV", Many("""{"name":"A"}""")).Replace("PORT", Many("""{"containerPort":1}""")).Replace("OUT", Many("""{"fqdn":"x","port":1}"""));
        var json = $$$"""{"metadata":{"name":"a"},"spec":{"userPlugins":[{{{Many(plugin)}}}{{{plugin}}}]}}""";
        var ned = KubernetesJson.Deserialize<NitroEnclaveDeployment>(json);
        ned.Metadata.NamespaceProperty = new string('n', 63);
        ManifestCodec.Write(ManifestMapping.ToManifest(ned, UnknownConfigValues.Instance)).Length.ShouldBeLessThan(json.Length * NedValidation.MaxGrowth / 2);
    }

    [Fact]
    public void An_object_without_metadata_is_decided_on() =>
        NedValidation.Decide(Patched.Request(With("metadata", "null"))).Allowed.ShouldBeTrue();

    [Fact]
    public void A_deletion_passes_even_where_the_object_cannot_be_read()
    {
        var ned = With("spec|paused", "\"yes\"");
        ned["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";
        NedValidation.Decide(Patched.Request(ned, "UPDATE", ned)).Allowed.ShouldBeTrue();
    }

    [Fact]
    public void An_invalid_field_that_did_not_change_does_not_block_an_update()
    {
        var old = With("spec|userPlugins|1|image", "\"Bad Image\"");
        var scaled = old.DeepClone();
        scaled["spec"]!["replicas"] = 3;
        NedValidation.Decide(Patched.Request(scaled, "UPDATE", old)).Allowed.ShouldBeTrue();
        var moved = old.DeepClone();
        moved["spec"]!["userPlugins"]!.AsArray().RemoveAt(0);
        NedValidation.Decide(Patched.Request(moved, "UPDATE", old)).Allowed.ShouldBeTrue();
        var worse = old.DeepClone();
        worse["spec"]!["userPlugins"]![1]!["image"] = "Worse Image";
        NedValidation.Decide(Patched.Request(worse, "UPDATE", old)).Causes.ShouldHaveSingleItem().Field.ShouldBe("spec.userPlugins[1].image");
    }

    [Fact]
    public void A_deletion_is_never_blocked()
    {
        var bad = With("spec|userPlugins", "[]");
        bad["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";
        NedValidation.Decide(Patched.Request(bad, "UPDATE", With("spec|replicas", "1"))).Allowed.ShouldBeTrue();
        NedValidation.Decide(Patched.Request(null, "DELETE", bad)).Allowed.ShouldBeTrue();
    }

    [Fact]
    public void A_manifest_that_is_too_large_is_refused_here_already()
    {
        var ned = With("spec|userPlugins|0|args", $"[\"{new string('x', 1 << 20)}\"]");
        NedValidation.Decide(Patched.Request(ned)).Causes.ShouldHaveSingleItem().Message.ShouldContain("1048576");
    }

    private static JsonNode With(string where, string value)
    {
        var steps = where.Split('|');
        var parent = JsonNode.Parse(Valid)!;
        var root = parent;
        foreach (var step in steps[..^1])
            parent = int.TryParse(step, out var index) ? parent[index]! : parent[step]!;
        foreach (var (name, node) in JsonNode.Parse($"{{\"{steps[^1]}\":{value}}}")!.AsObject())
            parent[name] = node?.DeepClone();
        return root;
    }
}
