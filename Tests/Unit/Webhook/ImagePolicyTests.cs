using System.Text.Json.Nodes;
using Enclaves.Webhook.Options;
using Enclaves.Webhook.Review;
using Enclaves.Webhook.Validation;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

public sealed class ImagePolicyTests
{
    private const string Digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void Without_a_policy_an_image_without_a_digest_gives_a_warning()
    {
        var decision = Decide(Ned("r.example:5000/app:1", "gate" + Digest), Policy());
        decision.Causes.ShouldBeEmpty();
        decision.Warnings.ShouldContain(warning => warning.StartsWith("spec.userPlugins[0].image: ") && warning.Contains("use r.example:5000/app@sha256:…"));
        decision.Warnings.ShouldNotContain(warning => warning.StartsWith("spec.privilegedPlugins[0].image: "));
    }

    [Fact]
    public void With_required_digests_an_image_without_one_is_refused_in_either_list_and_not_warned_about()
    {
        var decision = Decide(Ned("r.example/app:1", "gate"), Policy("--require-digests=true"));
        decision.Causes.Select(cause => cause.ToString()).ShouldBe(
            [
                "spec.privilegedPlugins[0].image: 'gate' has no digest, which this installation requires; allowed is gate@sha256:…",
                "spec.userPlugins[0].image: 'r.example/app:1' has no digest, which this installation requires; allowed is r.example/app@sha256:…",
            ]);
        decision.Warnings.ShouldNotContain(warning => warning.Contains("digest"));
        Decide(Ned("r.example/app:1" + Digest, "gate" + Digest), Policy("--require-digests=true")).Allowed.ShouldBeTrue();
    }

    [Theory]
    [InlineData("r.example", "r.example/app", true)]
    [InlineData("r.example", "R.example/app", true)]
    [InlineData("r.example", "r.example:5000/app", false)]
    [InlineData("r.example", "r.example.evil/app", false)]
    [InlineData("r.example", "evil.example/r.example/app", false)]
    [InlineData("r.example", "app", false)]
    [InlineData("r.example/team", "r.example/team/app", true)]
    [InlineData("r.example/team", "r.example/team", true)]
    [InlineData("r.example/team", "r.example/teams/app", false)]
    [InlineData("r.example/team", "r.example/app", false)]
    [InlineData("docker.io", "alpine", true)]
    [InlineData("docker.io/library", "alpine", true)]
    [InlineData("docker.io/library", "docker.io/library/alpine", true)]
    [InlineData("docker.io/library", "other/alpine", false)]
    [InlineData("localhost, r.example:5000", "r.example:5000/app", true)]
    [InlineData("localhost, r.example:5000", "localhost/app", true)]
    [InlineData("[::1]:5000", "[::1]:5000/app", true)]
    public void Images_come_from_the_allowed_registries_or_are_refused(string allowed, string image, bool passes)
    {
        var causes = Decide(Ned(image + Digest, null), Policy("--allowed-registries", allowed)).Causes;
        if (passes)
            causes.ShouldBeEmpty();
        else
            causes.ShouldHaveSingleItem().ToString().ShouldSatisfyAllConditions(
                text => text.ShouldStartWith("spec.userPlugins[0].image: "), text => text.ShouldEndWith($"allowed are images from {allowed}"));
    }

    [Fact]
    public void Both_lists_and_the_enclaves_image_are_held_to_the_registries()
    {
        var ned = Ned("evil.example/a" + Digest, "evil.example/b" + Digest);
        ned["spec"]!["enclave"] = new JsonObject { ["image"] = "evil.example/c" + Digest };
        Decide(ned, Policy("--allowed-registries=r.example")).Causes.Select(cause => cause.Field)
            .ShouldBe(["spec.enclave.image", "spec.privilegedPlugins[0].image", "spec.userPlugins[0].image"]);
        ned["spec"]!["enclave"]!["image"] = "base.eif";
        Decide(ned, Policy("--allowed-registries=r.example")).Causes.Select(cause => cause.Field).ShouldNotContain("spec.enclave.image");
    }

    [Fact]
    public void What_was_there_before_the_policy_does_not_block_an_update()
    {
        var policy = Policy("--require-digests=true", "--allowed-registries=r.example");
        var old = Ned("evil.example/app:1", null);
        var scaled = old.DeepClone();
        scaled["spec"]!["replicas"] = 3;
        Decide(scaled, policy, old).Allowed.ShouldBeTrue();
        var changed = Ned("evil.example/app:2", null);
        Decide(changed, policy, old).Causes.Count.ShouldBe(2);
    }

    [Fact]
    public void An_image_that_is_none_is_said_to_be_none_and_nothing_else() =>
        Decide(Ned("Not An Image", null), Policy("--require-digests=true", "--allowed-registries=r.example")).Causes.ShouldHaveSingleItem().Message.ShouldContain("white space");

    [Theory]
    [InlineData("team")]
    [InlineData("https://r.example")]
    [InlineData("r.example/")]
    [InlineData("r.example/Team")]
    [InlineData("r.example/team:1")]
    [InlineData("r.example/*")]
    [InlineData("r.example:99999")]
    [InlineData("ok.example,team")]
    public void What_is_no_registry_is_a_problem_at_start(string allowed) =>
        Read("--allowed-registries", allowed).Problems.ShouldHaveSingleItem().ShouldContain("--allowed-registries: ");

    private static ImagePolicy Policy(params string[] arguments)
    {
        var (policy, problems) = Read(arguments);
        problems.ShouldBeEmpty();
        return policy;
    }

    private static (ImagePolicy Policy, IReadOnlyList<string> Problems) Read(params string[] arguments)
    {
        var reader = new OptionsReader(arguments, new Dictionary<string, string>());
        var policy = ImagePolicy.Read(reader);
        reader.Finish();
        return (policy, reader.Problems);
    }

    private static AdmissionDecision Decide(JsonNode ned, ImagePolicy policy, JsonNode? old = null) =>
        NedValidation.Decide(Patched.Request(ned, old is null ? "CREATE" : "UPDATE", old), policy);

    private static JsonObject Ned(string user, string? privileged)
    {
        var spec = new JsonObject { ["userPlugins"] = new JsonArray(new JsonObject { ["name"] = "app", ["image"] = user }) };
        if (privileged is not null)
            spec["privilegedPlugins"] = new JsonArray(new JsonObject { ["kind"] = "auth", ["name"] = "gate", ["namespace"] = "team", ["image"] = privileged, ["proxyPort"] = 9000, ["spec"] = new JsonObject() });
        return new JsonObject { ["metadata"] = new JsonObject { ["name"] = "demo", ["namespace"] = "team" }, ["spec"] = spec };
    }
}
