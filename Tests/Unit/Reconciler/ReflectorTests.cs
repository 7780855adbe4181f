using Enclaves.Reconciler.Control;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class ReflectorTests : IAsyncDisposable
{
    private readonly TestClock _time = new();
    private readonly ScriptedSource _source = new();
    private readonly ObjectStore<Thing> _store = new();
    private readonly List<string> _changes = [];
    private readonly CancellationTokenSource _ended = new();
    private readonly Reflector<Thing> _reflector;
    private Task _running = Task.CompletedTask;

    public ReflectorTests()
    {
        _reflector = new Reflector<Thing>(_source, _store, _time, NullLogger.Instance, () => 1);
        _store.Changed += change =>
        {
            lock (_changes)
                _changes.Add($"{change.Before?.ToString() ?? "none"} → {change.After?.Name ?? "gone"}");
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _running.WaitAsync(TimeSpan.FromSeconds(10));
        _ended.Dispose();
    }

    [Fact]
    public async Task Lists_from_the_cache_then_watches_from_the_version_of_the_list()
    {
        _source.List = _ => new ListResult<Thing>([new Thing("a", "3")], "7");
        Start();
        (await Call()).ShouldBe("list 0");
        (await Call()).ShouldBe("watch 7");
        await _reflector.Synced.WaitAsync(TimeSpan.FromSeconds(5), Cancellation);
        _store.Get(new ObjectKey("default", "a")).ShouldNotBeNull();
    }

    [Fact]
    public async Task Events_and_bookmarks_advance_the_version_a_watch_resumes_from()
    {
        _source.WatchEnds = true;
        _source.Watch = version => version switch
        {
            "1" => [Present("a", "5"), new WatchEvent<Thing>(WatchEventKind.Bookmark, "9", null)],
            "9" => [Deleted("a", "11")],
            _ => [Present("b", "12")],
        };
        Start();
        await Calls("list 0", "watch 1", "watch 9", "watch 11", "watch 12");
        _reflector.Restarts.Ended.ShouldBeGreaterThanOrEqualTo(3);
        _store.All.ShouldBe([new Thing("b", "12")]);
    }

    [Fact]
    public async Task An_expired_version_lists_again_and_finds_what_was_deleted_meanwhile()
    {
        _source.List = version => version == "0"
            ? new ListResult<Thing>([new Thing("a", "1"), new Thing("b", "2"), new Thing("c", "3")], "3")
            : new ListResult<Thing>([new Thing("b", "2"), new Thing("c", "8")], "9");
        _source.Watch = version => version == "3" ? throw new ResourceVersionUnavailableException("too old") : [];
        Start();
        await Calls("list 0", "watch 3");
        // The list asks for nothing older than what is known.
        await Calls("list 3", "watch 9");
        _reflector.Restarts.ShouldBe(new WatchRestarts(0, 1, 0));
        lock (_changes)
            _changes.Skip(3).ShouldBe(["Thing { Name = c, ResourceVersion = 3, Key = default/c } → c", "Thing { Name = a, ResourceVersion = 1, Key = default/a } → gone"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_server_that_cannot_list_at_the_known_version_is_asked_for_the_present()
    {
        _source.List = version => version == "0"
            ? throw new ResourceVersionUnavailableException("Too large resource version")
            : new ListResult<Thing>([], "4");
        Start();
        await Calls("list 0", "list ", "watch 4");
    }

    [Fact]
    public async Task A_broken_stream_is_resumed_without_a_list_and_with_growing_pauses()
    {
        _source.Watch = _ => throw new IOException("connection refused");
        Start();
        await Calls("list 0", "watch 1");
        await ResumesAfter(TimeSpan.FromMilliseconds(800));
        await ResumesAfter(TimeSpan.FromMilliseconds(1600));
        await ResumesAfter(TimeSpan.FromMilliseconds(3200));
        _reflector.Restarts.Interrupted.ShouldBeInRange(3, 4);
    }

    [Fact]
    public async Task A_watch_that_ends_at_once_without_an_event_counts_as_a_failure()
    {
        _source.WatchEnds = true;
        Start();
        await Calls("list 0", "watch 1");
        await ResumesAfter(TimeSpan.FromMilliseconds(800));
    }

    [Fact]
    public async Task A_hanging_watch_is_cut_thirty_seconds_after_it_should_have_ended()
    {
        Start();
        await Calls("list 0", "watch 1");
        // With the jitter of this test the server is asked for ten minutes.
        await _time.Waits(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(29));
        _source.WasCalled.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));
        await ResumesAfter(TimeSpan.FromMilliseconds(800));
    }

    [Fact]
    public async Task A_server_that_names_a_pause_is_left_alone_for_it_and_not_listed_again()
    {
        _source.Watch = _ => throw new Overloaded(TimeSpan.FromSeconds(7));
        Start();
        await Calls("list 0", "watch 1");
        await ResumesAfter(TimeSpan.FromSeconds(7));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    public async Task An_event_without_a_version_is_not_taken_and_the_watch_resumes_from_the_one_before(string version)
    {
        _source.Watch = from => from == "1" ? [Present("a", "5"), new WatchEvent<Thing>(WatchEventKind.Present, version, new Thing("b", version))] : [];
        Start();
        await Calls("list 0", "watch 1");
        await _time.Waits(TimeSpan.FromMilliseconds(800));
        _time.Advance(TimeSpan.FromMilliseconds(800));
        (await Call()).ShouldBe("watch 5");
        _store.All.ShouldBe([new Thing("a", "5")]);
    }

    [Fact]
    public async Task A_list_without_a_version_is_not_taken()
    {
        var bad = true;
        _source.List = _ => new ListResult<Thing>([new Thing("a", "1")], bad ? "" : "2");
        Start();
        (await Call()).ShouldBe("list 0");
        await _time.Waits(TimeSpan.FromMilliseconds(800));
        _reflector.Synced.IsCompleted.ShouldBeFalse();
        _store.Count.ShouldBe(0);
        bad = false;
        _time.Advance(TimeSpan.FromMilliseconds(800));
        await Calls("list 0", "watch 2");
    }

    [Fact]
    public async Task It_tells_for_how_long_the_server_has_been_silent()
    {
        Start();
        await Calls("list 0", "watch 1");
        _time.Advance(TimeSpan.FromMinutes(4));
        _reflector.SinceLastSign.ShouldBe(TimeSpan.FromMinutes(4));
    }

    [Fact]
    public async Task A_bookmark_is_a_sign_of_life()
    {
        using var bookmark = new ManualResetEventSlim();
        IEnumerable<WatchEvent<Thing>> Later()
        {
            bookmark.Wait(TimeSpan.FromSeconds(20));
            yield return new WatchEvent<Thing>(WatchEventKind.Bookmark, "9", null);
        }

        _source.Watch = _ => Later();
        Start();
        await Calls("list 0", "watch 1");
        _time.Advance(TimeSpan.FromMinutes(4));
        bookmark.Set();
        SpinWait.SpinUntil(() => _reflector.SinceLastSign == TimeSpan.Zero, TimeSpan.FromSeconds(20)).ShouldBeTrue();
    }

    private sealed class Overloaded(TimeSpan pause) : Exception("too many requests"), IRetryLater
    {
        public TimeSpan? RetryAfter => pause;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static WatchEvent<Thing> Present(string name, string version) => new(WatchEventKind.Present, version, new Thing(name, version));

    private static WatchEvent<Thing> Deleted(string name, string version) => new(WatchEventKind.Deleted, version, new Thing(name, version));

    private void Start() => _running = Task.Run(() => _reflector.RunAsync(_ended.Token));

    private Task<string> Call() => _source.NextCall(Cancellation);

    private async Task Calls(params string[] expected)
    {
        foreach (var call in expected)
            (await Call()).ShouldBe(call);
    }

    private async Task ResumesAfter(TimeSpan pause)
    {
        await _time.Waits(pause);
        _time.Advance(pause - TimeSpan.FromMilliseconds(1));
        _source.WasCalled.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        (await Call()).ShouldStartWith("watch ");
    }
}
