using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Rest.Auth;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class VisibleNedsTests : IDisposable
{
    private static readonly Caller Somebody = Caller.Of(JsonElement.Parse("""{"authenticated":true,"user":{"username":"somebody"}}"""))!;

    private readonly FakeTimeProvider _time = new();
    private readonly FakeKubernetes _kubernetes = new();
    private readonly RestNeds _neds = new();
    private readonly HashSet<string> _allowed = new(StringComparer.Ordinal);
    private readonly ApiServer _server;
    private readonly AccessReviews _reviews;
    private readonly VisibleNeds _rights;

    public VisibleNedsTests()
    {
        _kubernetes.May = (_, _, space) => _allowed.Contains(space);
        _server = _kubernetes.Client();
        _reviews = new AccessReviews(_server, _time);
        _rights = new VisibleNeds(_reviews, _neds.Views, _neds.Stores);
        _neds.PutNamespace("shop");
        _neds.PutNamespace("other");
        _neds.Put("other", "theirs");
    }

    public void Dispose()
    {
        _reviews.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task With_the_right_to_all_everything_is_seen_for_one_question()
    {
        _allowed.Add("");
        (await Ask()).ShouldNotBeNull().Everywhere.ShouldBeTrue();
        _kubernetes.Asked.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Where_there_is_no_NED_the_right_still_counts()
    {
        _allowed.Add("shop");
        (await Ask()).ShouldNotBeNull().Namespaces.ShouldBe(["shop"]);
    }

    [Fact]
    public async Task Who_may_nowhere_is_refused() => (await Ask()).ShouldBeNull();

    [Fact]
    public async Task A_namespace_that_was_seen_is_seen_also_when_its_last_NED_is_gone()
    {
        _allowed.UnionWith(["shop", "other"]);
        _neds.Put("shop", "mine");
        var before = await Ask();
        before.ShouldNotBeNull().Namespaces.Count.ShouldBe(2);
        _neds.Remove("shop", "mine");
        (await Ask(before)).ShouldNotBeNull().IsSame(before).ShouldBeTrue();
        _allowed.Remove("shop");
        _time.Advance(TimeSpan.FromSeconds(11));
        (await Ask(before)).ShouldNotBeNull().Namespaces.ShouldBe(["other"]);
    }

    [Fact]
    public async Task Nobody_is_refused_for_what_would_take_too_many_questions()
    {
        for (var number = 0; number <= VisibleNeds.MostEmptyNamespaces; number++)
            _neds.PutNamespace($"empty-{number}");
        (await Ask()).ShouldNotBeNull().Namespaces.ShouldBeEmpty();
        _kubernetes.Asked.Count.ShouldBe(2);
    }

    private Task<Visibility?> Ask(Visibility? before = null) => _rights.OfAllAsync(Somebody, "list", before, TestContext.Current.CancellationToken);
}
