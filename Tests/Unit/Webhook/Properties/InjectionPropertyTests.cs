using System.Text.Json.Nodes;
using CsCheck;
using Enclaves.Webhook.Injection;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook.Properties;

/// <summary>A failure prints the seed that brings it back: the argument <c>seed</c> of Sample.</summary>
public sealed class InjectionPropertyTests
{
    private const int Count = 2_000;

    private static readonly PodInjection Injection = new(
        new InjectionOptions
        {
            EnclaveHostImage = "registry.example/enclave-host:1",
            Driver = InjectionOptions.Qemu,
            SeccompProfile = "RuntimeDefault",
            DeviceGroup = 7,
            CpuResource = "aws.ec2.nitro/nitro_enclaves_cpus",
        },
        "1.2.3");

    [Fact]
    public void Whatever_a_labelled_pod_has_it_keeps_and_is_injected_once() => PodGen.Labelled.Sample(text => Check(JsonNode.Parse(text)!), iter: Count);

    [Theory]
    [MemberData(nameof(Corpus.Pods), MemberType = typeof(Corpus))]
    public void The_pods_of_every_controller_keep_what_they_have_and_are_injected_once(string name) => Check(Corpus.Read(name));

    // What a webhook that is asked between two injections may do.
    [Fact]
    public void An_injected_pod_that_others_have_changed_stays_injected_and_keeps_their_changes() => PodGen.Labelled.Sample(text =>
    {
        var pod = Inject(JsonNode.Parse(text)!);
        var containers = pod["spec"]!["containers"]!.AsArray();
        var last = containers[^1]!;
        containers.RemoveAt(containers.Count - 1);
        containers.Insert(0, last);
        containers.Insert(0, new JsonObject { ["name"] = "late", ["image"] = "late:1" });
        pod["spec"]!["volumes"]!.AsArray().Insert(0, new JsonObject { ["name"] = "late", ["emptyDir"] = new JsonObject() });
        Injection.Decide(Patched.Request(pod)).Patch.ShouldBeNull();
    }, iter: Count);

    private static void Check(JsonNode pod)
    {
        var injected = Inject(pod);
        injected.ShouldKeep(pod);
        ShouldAskForItsNode(injected, pod);
        Injection.Decide(Patched.Request(injected)).Patch.ShouldBeNull();
        injected["spec"]!["containers"]!.AsArray().Single(container => (string)container!["name"]! == "enclave-host")!["volumeMounts"]!.AsArray()
            .Select(mount => (string)mount!["name"]!).ShouldBeSubsetOf([.. injected["spec"]!["volumes"]!.AsArray().Select(volume => (string)volume!["name"]!), "mine"]);
    }

    // Terms are alternatives: a new one would let the pod onto nodes that it did not ask for, and one without the label onto nodes without enclaves.
    private static void ShouldAskForItsNode(JsonNode injected, JsonNode pod)
    {
        if (Terms(injected) is not { } terms)
            return;
        terms.Count.ShouldBe(Terms(pod) is { Count: > 0 } own ? own.Count : 1);
        foreach (var term in terms.OfType<JsonObject>().Where(term => IsFilled(term["matchExpressions"]) || (IsFilled(term["matchFields"]) && term["matchExpressions"] is null or JsonArray)))
            term["matchExpressions"]!.AsArray().Select(expression => expression?.ToJsonString()).ShouldContain("""{"key":"aws-nitro-enclaves-k8s-dp","operator":"In","values":["enabled"]}""");
    }

    private static JsonArray? Terms(JsonNode pod) =>
        Member(Member(Member(Member(pod["spec"], "affinity"), "nodeAffinity"), "requiredDuringSchedulingIgnoredDuringExecution"), "nodeSelectorTerms") as JsonArray;

    private static JsonNode? Member(JsonNode? of, string name) => (of as JsonObject)?[name];

    private static bool IsFilled(JsonNode? list) => list is JsonArray { Count: > 0 };

    private static JsonNode Inject(JsonNode pod) => Patched.Apply(pod, Injection.Decide(Patched.Request(pod)));
}
