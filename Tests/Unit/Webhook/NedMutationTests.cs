using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Webhook.Mutation;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

public sealed class NedMutationTests
{
    public static TheoryData<string> Corpus => new(
        """{"metadata":{"name":"demo"},"spec":{}}""",
        """{"metadata":{"name":"demo","labels":{"a/b~c":"d"}},"spec":{"enclave":{"memory":"8Gi"},"userPlugins":[{"name":"a","ports":[{"containerPort":1,"hostPort":80}]}]}}""",
        """{"metadata":{"generateName":"demo-"},"spec":{"strategy":{"type":"Recreate"},"service":{"type":"None"},"enclave":{"memory":1073741824,"hugepageSize":null}}}""",
        """{"metadata":{"name":"demo"},"spec":{"strategy":{"rollingUpdate":{"maxSurge":0}},"template":{"metadata":{"labels":{"k8s.oblv.com/deployment":"mine"}},"newer":[1]},"newer":{"x":[{"y":null}]}}}""",
        """{"metadata":{"name":"demo"},"spec":{"strategy":[],"enclave":"large","template":7,"userPlugins":{},"service":false}}""",
        """{"metadata":{"name":"demo"}}""",
        """{}""");

    [Theory]
    [MemberData(nameof(Corpus))]
    public void Mutating_twice_gives_an_empty_patch(string json)
    {
        var once = Mutate(json);
        NedMutation.Decide(Patched.Request(once, "UPDATE")).Patch.ShouldBeNull();
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public void Whatever_was_there_stays_as_it_was(string json)
    {
        ShouldHold(Mutate(json), JsonNode.Parse(json)!);
    }

    [Fact]
    public void Fields_whose_default_depends_on_others_are_filled()
    {
        var ned = Mutate("""{"metadata":{"name":"demo"},"spec":{"enclave":{"memory":"8Gi"},"userPlugins":[{"name":"a","ports":[{"containerPort":1,"hostPort":80}]}]}}""");
        ned.At("spec|enclave|hugepageSize").ShouldBe("1Gi");
        ned.At("spec|service|type").ShouldBe("ClusterIP");
        ned.At("spec|strategy|rollingUpdate|maxSurge").ShouldBe("25%");
        ned.At("spec|template|metadata|labels|app.kubernetes.io/name").ShouldBe("demo");
        ned.At("metadata|labels|k8s.oblv.com/deployment").ShouldBe("demo");
    }

    [Fact]
    public void Nothing_is_filled_that_would_mean_something()
    {
        var ned = Mutate("""{"metadata":{"generateName":"demo-"},"spec":{"strategy":{"type":"Recreate"},"enclave":{"memory":"much"},"userPlugins":[{"ports":[{"containerPort":1}]}]}}""");
        ned.At("spec|strategy|rollingUpdate").ShouldBeNull();
        ned.At("spec|enclave|hugepageSize").ShouldBeNull();
        ned.At("spec|service").ShouldBeNull();
        ned.At("spec|template").ShouldBeNull();
    }

    [Fact]
    public void Lists_are_never_touched()
    {
        var patch = NedMutation.Decide(Patched.Request(JsonNode.Parse("""{"metadata":{"name":"demo"},"spec":{"userPlugins":[{"name":"a","image":"b"}]}}"""))).Patch;
        Encoding.UTF8.GetString(patch!).ShouldNotContain("userPlugins");
    }

    [Theory]
    [InlineData("""{"metadata":{"name":"demo","deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{}}""", "UPDATE")]
    [InlineData("""{"metadata":{"name":"demo"},"spec":{}}""", "DELETE")]
    public void A_deletion_is_left_alone(string json, string operation) =>
        NedMutation.Decide(Patched.Request(JsonNode.Parse(json), operation)).Patch.ShouldBeNull();

    private static JsonNode Mutate(string json)
    {
        var ned = JsonNode.Parse(json)!;
        return Patched.Apply(ned, NedMutation.Decide(Patched.Request(ned)));
    }

    private static void ShouldHold(JsonNode? actual, JsonNode? expected)
    {
        // null means absent: it may be filled.
        if (expected is null)
            return;
        if (expected is not JsonObject members)
        {
            JsonNode.DeepEquals(actual, expected).ShouldBeTrue($"{actual?.ToJsonString()} is not {expected.ToJsonString()}");
            return;
        }

        foreach (var (name, value) in members)
            ShouldHold(actual![name], value);
    }
}
