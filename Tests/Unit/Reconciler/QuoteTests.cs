using Enclaves.Reconciler.Status;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class QuoteTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData(" a\r\n\tb.. ", "a b")]
    [InlineData("a\u001b[31mred\u0007\u0000", "a [31mred")]
    [InlineData("safe\u202Eevil\u2066x\u200Fy", "safe evil x y")]
    [InlineData("line\u2028line\u2029line\u0085line", "line line line line")]
    [InlineData("grüße 世界 😀", "grüße 世界 😀")]
    public void Nothing_hides_or_moves_what_is_around_it(string? text, string quoted) => Quote.Of(text).ShouldBe(quoted);

    // Not in an attribute, which is written in UTF-8.
    [Fact]
    public void Half_a_character_becomes_a_whole_one() => Quote.Of("a\ud800b").ShouldBe("a\ufffdb");

    [Fact]
    public void Long_words_are_cut_and_never_inside_a_character()
    {
        Quote.Of(new string('x', 10_000)).ShouldBe(new string('x', Quote.Longest) + "…");
        Quote.Of("x" + string.Concat(Enumerable.Repeat("😀", 10)), 6).ShouldBe("x😀😀…");
        Quote.Of(new string('\n', 1_000_000) + "end", 10).ShouldBe("end");
    }
}
