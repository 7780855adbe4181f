using Enclaves.Reconciler.Rest.Reading;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class LabelSelectorTests
{
    private static readonly Dictionary<string, string> Labels = new() { ["app"] = "web", ["example.com/tier"] = "front", ["empty"] = "" };

    [Theory]
    [InlineData("", true)]
    [InlineData("app=web", true)]
    [InlineData("app==web", true)]
    [InlineData(" app = web , example.com/tier=front ", true)]
    [InlineData("app=api", false)]
    [InlineData("app!=api", true)]
    [InlineData("other!=api", true)]
    [InlineData("app!=web", false)]
    [InlineData("app in (api, web)", true)]
    [InlineData("app in (api)", false)]
    [InlineData("app notin (api,web)", false)]
    [InlineData("other notin (api)", true)]
    [InlineData("app", true)]
    [InlineData("other", false)]
    [InlineData("!other", true)]
    [InlineData("!app", false)]
    [InlineData("empty=", true)]
    [InlineData("app=web,other", false)]
    [InlineData("in in (a)", false)]
    public void Selects_as_kubectl_does(string text, bool selected)
    {
        var (selector, problem) = LabelSelector.Parse(text);
        selector.ShouldNotBeNull(problem).Matches(Labels).ShouldBe(selected);
    }

    [Theory]
    [InlineData("a=b=c")]
    [InlineData("=b")]
    [InlineData("a in b")]
    [InlineData("a in (b")]
    [InlineData("a b")]
    [InlineData("!")]
    [InlineData(",a")]
    [InlineData("a>1")]
    [InlineData("../../etc")]
    public void Says_what_it_cannot_read(string text)
    {
        var (selector, problem) = LabelSelector.Parse(text);
        selector.ShouldBeNull();
        problem.ShouldNotBeNull().ShouldContain("is not a requirement");
    }

    [Fact]
    public void A_huge_one_is_refused_and_the_largest_is_read_at_once()
    {
        LabelSelector.Parse(new string('a', LabelSelector.MostCharacters + 1)).Problem.ShouldNotBeNull().ShouldContain($"{LabelSelector.MostCharacters}");
        var largest = string.Join(',', Enumerable.Repeat("a", LabelSelector.MostCharacters / 2));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        LabelSelector.Parse(largest).Selector.ShouldNotBeNull().Matches(Labels).ShouldBeFalse();
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }
}
