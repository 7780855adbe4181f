using System.Net.ServerSentEvents;
using System.Text;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Streaming;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class NedStreamTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RestNeds _neds = new();
    private readonly NedFeed _feed;
    private Visibility _rights = Visibility.All;

    public NedStreamTests() => _feed = new NedFeed(_neds.Views);

    [Fact]
    public async Task A_new_reader_is_told_everything_and_then_each_change()
    {
        _neds.Put("a", "one");
        await using var stream = Open();
        (await Take(stream, 3)).ShouldBe(["reset", "put one", "synced"]);
        _neds.Put("a", "two");
        _neds.Remove("a", "one");
        (await Take(stream, 2)).ShouldBe(["put two", "delete one"]);
    }

    [Fact]
    public async Task Whoever_comes_back_goes_on_where_it_was()
    {
        _neds.Put("a", "one");
        string id;
        await using (var stream = Open())
        {
            await Take(stream, 3);
            id = stream.Current.EventId!;
        }

        _neds.Put("a", "two");
        _neds.Remove("a", "one");
        await using var again = Open(id);
        (await Take(again, 2)).ShouldBe(["put two", "delete one"]);
    }

    [Theory]
    [InlineData("of-another-process.1.0123456789abcdef")]
    [InlineData("nonsense")]
    public async Task A_place_that_is_not_known_begins_anew(string id)
    {
        _neds.Put("a", "one");
        await using var stream = Open(id);
        (await Take(stream, 3)).ShouldBe(["reset", "put one", "synced"]);
    }

    [Fact]
    public async Task A_reader_that_is_too_slow_begins_anew_and_misses_nothing()
    {
        await using var stream = Open();
        await Take(stream, 2);
        for (var change = 0; change < 5000; change++)
            _neds.Put("a", "busy");
        _neds.Put("a", "last");
        var told = await Take(stream, 4);
        told.ShouldBe(["reset", "put busy", "put last", "synced"]);
    }

    [Fact]
    public async Task Only_what_may_be_seen_and_is_selected_is_told_and_what_is_no_longer_selected_is_gone()
    {
        _rights = Visibility.Of("a");
        await using var stream = Open(selector: "app=web");
        await Take(stream, 2);
        _neds.Put("b", "hidden");
        _neds.Put("a", "other", "app=api");
        _neds.Put("a", "one");
        _neds.Put("a", "one", "app=api");
        (await Take(stream, 2)).ShouldBe(["put one", "delete one"]);
    }

    [Fact]
    public async Task A_quiet_stream_pings()
    {
        await using var stream = Open();
        await Take(stream, 2);
        var next = stream.MoveNextAsync().AsTask();
        while (!next.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        (await next).ShouldBeTrue();
        stream.Current.EventType.ShouldBe("ping");
    }

    [Fact]
    public async Task Other_rights_begin_anew()
    {
        _neds.Put("a", "one");
        _neds.Put("b", "two");
        await using var stream = Open();
        (await Take(stream, 4)).ShouldBe(["reset", "put one", "put two", "synced"]);
        _rights = Visibility.Of("b");
        (await Take(stream, 3)).ShouldBe(["reset", "put two", "synced"]);
        _neds.Put("a", "one");
        _neds.Put("b", "two");
        (await Take(stream, 1)).ShouldBe(["put two"]);
    }

    [Fact]
    public async Task A_reader_in_the_middle_of_everything_is_told_no_more_of_what_it_may_not_see_any_more()
    {
        _neds.Put("a", "one");
        _neds.Put("a", "two");
        _neds.Put("b", "three");
        await using var stream = Open();
        (await Take(stream, 2)).ShouldBe(["reset", "put one"]);
        _rights = Visibility.Of("b");
        (await Take(stream, 3)).ShouldBe(["reset", "put three", "synced"]);
    }

    [Fact]
    public async Task Whoever_comes_back_with_more_rights_is_told_what_it_was_not_shown()
    {
        _rights = Visibility.Of("a");
        string id;
        await using (var stream = Open())
        {
            await Take(stream, 2);
            _neds.Put("b", "hidden");
            _neds.Put("a", "one");
            (await Take(stream, 1)).ShouldBe(["put one"]);
            id = stream.Current.EventId!;
        }

        _rights = Visibility.All;
        await using var again = Open(id);
        (await Take(again, 4)).ShouldBe(["reset", "put one", "put hidden", "synced"]);
    }

    [Fact]
    public async Task Whoever_comes_back_with_fewer_rights_forgets_what_it_may_not_see_any_more()
    {
        _neds.Put("a", "one");
        _neds.Put("b", "two");
        var id = await IdOfEverything();
        _rights = Visibility.Of("b");
        await using var again = Open(id);
        (await Take(again, 3)).ShouldBe(["reset", "put two", "synced"]);
    }

    [Fact]
    public async Task Whoever_is_cut_off_in_the_middle_of_a_reset_has_no_id_to_come_back_with()
    {
        _neds.Put("a", "one");
        await using var stream = Open();
        await Take(stream, 1);
        stream.Current.EventId.ShouldBe("");
        await Take(stream, 1);
        stream.Current.EventId.ShouldBeNull();
    }

    [Fact]
    public async Task An_id_of_another_selector_begins_anew()
    {
        _neds.Put("a", "one", "app=api");
        var id = await IdOfEverything();
        await using var again = Open(id, "app=api");
        (await Take(again, 3)).ShouldBe(["reset", "put one", "synced"]);
    }

    private async Task<string> IdOfEverything()
    {
        await using var stream = Open();
        while ((await Take(stream, 1))[0] != "synced")
        {
            // Everything.
        }

        return stream.Current.EventId!;
    }

    private IAsyncEnumerator<SseItem<ReadOnlyMemory<byte>>> Open(string? id = null, string selector = "") =>
        new NedStream(_feed, _neds.Views, LabelSelector.Parse(selector).Selector!, _time)
            .ReadAsync(id, () => _rights, TestContext.Current.CancellationToken).GetAsyncEnumerator();

    private static async Task<IReadOnlyList<string>> Take(IAsyncEnumerator<SseItem<ReadOnlyMemory<byte>>> stream, int count)
    {
        var told = new List<string>();
        while (told.Count < count && await stream.MoveNextAsync())
        {
            using var json = System.Text.Json.JsonDocument.Parse(Encoding.UTF8.GetString(stream.Current.Data.Span));
            told.Add(json.RootElement.TryGetProperty("name", out var name) ? $"{stream.Current.EventType} {name}" : stream.Current.EventType);
        }

        return told;
    }
}
