using System.Collections.Frozen;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Reading;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class ListQueryTests
{
    private static readonly Visibility Everything = new(true, FrozenSet<string>.Empty);

    [Fact]
    public void Pages_hold_everything_once_and_in_order_also_when_the_last_item_is_gone_meanwhile()
    {
        var neds = new RestNeds();
        foreach (var number in Enumerable.Range(0, 25).Reverse())
            neds.Put(number % 2 == 0 ? "a" : "b", $"ned-{number:d2}");
        var seen = new List<string>();
        string? token = null;
        do
        {
            var (query, problem) = ListQuery.Read(null, 4, token);
            var (page, remaining) = query.ShouldNotBeNull(problem?.ToString()).Of(neds.Views.Now, Everything);
            seen.AddRange(page.Select(view => view.Key.ToString()));
            token = remaining > 0 ? ListQuery.TokenAfter(page[^1].Key) : null;
            neds.Remove(page[^1].Key.Namespace, page[^1].Key.Name);
        }
        while (token is not null);

        seen.Count.ShouldBe(25);
        seen.ShouldBe(seen.Order(StringComparer.Ordinal).Distinct());
    }

    [Fact]
    public void Only_what_is_visible_and_selected_is_counted()
    {
        var neds = new RestNeds();
        neds.Put("a", "one");
        neds.Put("a", "two", "app=api");
        neds.Put("b", "three");
        var (query, _) = ListQuery.Read("app=web", null, null);
        var (page, remaining) = query!.Of(neds.Views.Now, Visibility.Of("a"));
        page.ShouldHaveSingleItem().Key.Name.ShouldBe("one");
        remaining.ShouldBe(0);
    }

    [Theory]
    [InlineData(0, null, null, "limit")]
    [InlineData(1001, null, null, "limit")]
    [InlineData(null, "a=b=c", null, "labelSelector")]
    [InlineData(null, null, "!!", "continue")]
    [InlineData(null, null, "bm90aGluZw", "continue")]
    public void Wrong_parameters_are_named(int? limit, string? selector, string? token, string parameter)
    {
        var (query, problem) = ListQuery.Read(selector, limit, token);
        query.ShouldBeNull();
        problem.ShouldNotBeNull().StatusCode.ShouldBe(422);
        problem.ProblemDetails.Extensions["parameter"].ShouldBe(parameter);
    }
}
