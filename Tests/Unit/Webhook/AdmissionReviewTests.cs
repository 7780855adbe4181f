using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Webhook.Review;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

public sealed class AdmissionReviewTests
{
    private const string Review =
        """{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},"operation":"CREATE","name":null,"object":{},"oldObject":null,"newer":1}}""";

    [Fact]
    public void A_review_is_read()
    {
        var request = Read(Review);
        (request.Uid, request.Operation, request.Kind.Kind, request.Name).ShouldBe(("u-1", "CREATE", "Pod", ""));
        request.Object.ShouldNotBeNull();
        request.OldObject.ShouldBeNull();
    }

    [Theory]
    [InlineData("admission.k8s.io/v1\"", "admission.k8s.io/v1beta1\"", "understood is admission.k8s.io/v1")]
    [InlineData("\"AdmissionReview\"", "\"Pod\"", "understood is")]
    [InlineData("\"u-1\"", "\"\"", "uid")]
    [InlineData("\"u-1\"", "7", "uid")]
    [InlineData("\"CREATE\"", "\"PATCH\"", "operation")]
    [InlineData("\"object\":{}", "\"object\":[]", "request.object")]
    [InlineData("\"request\"", "\"response\"", "request: is missing")]
    public void A_malformed_review_is_refused_with_a_reason(string part, string replacement, string reason)
    {
        Should.Throw<MalformedReviewException>(() => Read(Review.Replace(part, replacement, StringComparison.Ordinal))).Message.ShouldContain(reason);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"x\"")]
    public void A_body_that_is_no_object_is_refused(string json) => Should.Throw<MalformedReviewException>(() => Read(json));

    [Fact]
    public void A_denial_names_every_cause_with_its_field()
    {
        var response = Response(AdmissionDecision.Deny(new AdmissionCause("spec.a", "is bad"), new AdmissionCause("spec.b", "too")));
        response.At("uid").ShouldBe("u-1");
        response.At("allowed").ShouldBe("false");
        response.At("status|code").ShouldBe("422");
        response.At("status|message").ShouldBe("spec.a: is bad; spec.b: too");
        response.At("status|details|causes|1|field").ShouldBe("spec.b");
        response["patch"].ShouldBeNull();
    }

    [Fact]
    public void A_patch_is_there_only_where_something_changes()
    {
        Response(AdmissionDecision.Allow)["patchType"].ShouldBeNull();
        var changed = Response(AdmissionDecision.Change("[]"u8.ToArray()));
        changed.At("patchType").ShouldBe("JSONPatch");
        Encoding.UTF8.GetString(Convert.FromBase64String(changed.At("patch")!)).ShouldBe("[]");
    }

    [Fact]
    public void Warnings_are_short_and_few()
    {
        var warnings = Response(AdmissionDecision.Allow with { Warnings = [.. Enumerable.Repeat(new string('x', 300), 20)] })["warnings"]!.AsArray();
        warnings.Count.ShouldBe(16);
        warnings.ShouldAllBe(warning => warning!.GetValue<string>().Length <= 256);
        warnings[^1]!.GetValue<string>().ShouldBe("and 5 more warnings");
        warnings.Sum(warning => warning!.GetValue<string>().Length).ShouldBeLessThan(4096);
    }

    private static AdmissionRequest Read(string json) => AdmissionReviewReader.Read(JsonDocument.Parse(json).RootElement);

    private static JsonNode Response(AdmissionDecision decision) =>
        JsonNode.Parse(AdmissionReviewWriter.Decision(Read(Review), decision).Span)!["response"]!;
}
