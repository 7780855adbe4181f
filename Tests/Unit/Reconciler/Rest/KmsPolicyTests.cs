using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Serving;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class KmsPolicyTests
{
    [Fact]
    public void It_pins_every_register_by_the_names_that_KMS_has_for_them()
    {
        var policy = KmsPolicy.Of("my-ned", new string('a', 96), new Dictionary<string, string> { ["PCR0"] = "00", ["PCR16"] = "16" }, "arn:aws:iam::111122223333:role/hello");
        var written = JsonNode.Parse(JsonSerializer.Serialize(policy, RestJson.Options))!;
        // Names and shape as in the KMS developer guide, "Condition keys for Nitro Enclaves".
        JsonNode.DeepEquals(written, JsonNode.Parse("""
            {"Version": "2012-10-17", "Statement": [{
              "Sid": "mynedaaaaaaaaaa", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/hello"},
              "Action": ["kms:Decrypt", "kms:DeriveSharedSecret", "kms:GenerateDataKey", "kms:GenerateDataKeyPair", "kms:GenerateRandom"],
              "Resource": "*",
              "Condition": {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:PCR0": "00", "kms:RecipientAttestation:PCR16": "16"}}}]}
            """)).ShouldBeTrue(written.ToJsonString());
    }

    [Theory]
    [InlineData("arn:aws:iam::111122223333:role/hello", true)]
    [InlineData("arn:aws-cn:iam::111122223333:role/path/hello", true)]
    [InlineData("arn:aws:sts::111122223333:assumed-role/hello/session", true)]
    [InlineData("arn:aws:iam::111122223333:user/ann", true)]
    [InlineData("arn:aws:iam::111122223333:root", false)]
    [InlineData("arn:aws:iam::1:role/hello", false)]
    [InlineData("*", false)]
    [InlineData("arn:aws:iam::111122223333:role/hello\n", false)]
    [InlineData("arn:aws:iam::111122223333:role/\"x", false)]
    [InlineData("", false)]
    public void Whoever_is_let_in_is_one_and_not_everybody(string text, bool allowed) => KmsPolicy.IsPrincipal(text).ShouldBe(allowed);
}
