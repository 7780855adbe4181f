using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CsCheck;
using Enclaves.Webhook.Mutation;
using Enclaves.Webhook.Review;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook.Properties;

/// <summary>A failure prints the seed that brings it back: the argument <c>seed</c> of Sample.</summary>
public sealed partial class MutationPropertyTests
{
    private const int Count = 5_000;

    [Fact]
    public void Whatever_a_ned_is_only_what_is_documented_is_filled() => NedGen.Any.Sample(text => Check(JsonNode.Parse(text)!), iter: Count);

    [Theory]
    [MemberData(nameof(Corpus.Neds), MemberType = typeof(Corpus))]
    public void Neds_with_fields_of_other_versions_keep_them(string name) => Check(Corpus.Read(name));

    [Fact]
    public void The_generated_neds_are_of_every_kind()
    {
        var seen = new HashSet<string>();
        NedGen.Any.Sample(text =>
        {
            foreach (var operation in Operations(NedMutation.Decide(Patched.Request(JsonNode.Parse(text)))))
                seen.Add(operation.Path);
        }, iter: Count, threads: 1);
        foreach (var path in new[] { "/spec", "/spec/strategy/rollingUpdate/maxSurge", "/spec/enclave/hugepageSize", "/spec/service/type", "/spec/template/metadata/labels/k8s.oblv.com~1deployment", "/metadata/labels" })
            seen.ShouldContain(path);
    }

    private static void Check(JsonNode ned)
    {
        var decision = NedMutation.Decide(Patched.Request(ned));
        var once = Patched.Apply(ned, decision);
        Same(once, FilledNed.Of(ned)).ShouldBeTrue($"is {once.ToJsonString()}\nand not {FilledNed.Of(ned).ToJsonString()}");
        NedMutation.Decide(Patched.Request(once, "UPDATE")).Patch.ShouldBeNull(once.ToJsonString());
        foreach (var (kind, path) in Operations(decision))
        {
            kind.ShouldBe("add");
            // By its name alone: none of these is in a list, so none is touched.
            Documented().IsMatch(path).ShouldBeTrue($"{path} is not documented to be filled");
        }
    }

    private static bool Same(JsonNode left, JsonNode right) => JsonNode.DeepEquals(left, right);

    private static IEnumerable<(string Kind, string Path)> Operations(AdmissionDecision decision) => decision.Patch is null
        ? []
        : JsonDocument.Parse(decision.Patch).RootElement.EnumerateArray().Select(operation => (operation.GetProperty("op").GetString()!, operation.GetProperty("path").GetString()!));

    [GeneratedRegex(@"\A/(?:metadata(?:/labels(?:/k8s\.oblv\.com~1deployment)?)?|spec(?:/enclave(?:/hugepageSize)?|/service(?:/type)?|/strategy(?:/type|/rollingUpdate(?:/maxSurge|/maxUnavailable)?)?"
        + @"|/template(?:/metadata(?:/labels(?:/(?:app\.kubernetes\.io~1(?:name|managed-by|component)|k8s\.oblv\.com~1deployment))?)?)?)?)\z")]
    private static partial Regex Documented();
}
