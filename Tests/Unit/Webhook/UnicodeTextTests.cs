using System.Text;
using Enclaves.Webhook.Review;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

public sealed class UnicodeTextTests
{
    [Theory]
    [InlineData("{}", true)]
    [InlineData("""{"a":"é€😀\u00e9\ud83d\ude00\n\\\""}""", true)]
    [InlineData("""["\\ud800"]""", true)]
    [InlineData("""["\\\ud83d\ude00"]""", true)]
    [InlineData("""["\ud800"]""", false)]
    [InlineData("""["\ud800\n"]""", false)]
    [InlineData("""["\ud800\\udc00"]""", false)]
    [InlineData("""["\ud800\ud800"]""", false)]
    [InlineData("""["\uDC00\uD800"]""", false)]
    [InlineData("""{"\udfff":1}""", false)]
    public void Half_a_character_is_no_text(string json, bool holds) => UnicodeText.Holds(Encoding.UTF8.GetBytes(json)).ShouldBe(holds);

    [Fact]
    public void Bytes_that_are_not_utf8_are_no_text() => UnicodeText.Holds([(byte)'"', 0xED, 0xA0, 0x80, (byte)'"']).ShouldBeFalse();

    [Theory]
    [InlineData("""{"\ud800":1,"a":2}""")]
    [InlineData("""{"a":"\ud800"}""")]
    public async Task A_body_that_holds_such_a_string_is_refused_with_the_reason(string json)
    {
        var refusal = await Should.ThrowAsync<MalformedReviewException>(async () =>
        {
            using var review = await AdmissionReviewReader.Parse(new MemoryStream(Encoding.UTF8.GetBytes(json)), TestContext.Current.CancellationToken);
            AdmissionReviewReader.Read(review.RootElement);
        });
        refusal.Message.ShouldContain("not Unicode");
    }
}
