using System.Globalization;
using Enclaves.Reconciler.Control.Events;
using Shouldly;
using Xunit;
using static Enclaves.Tests.Unit.Reconciler.Events.FakeSink;

namespace Enclaves.Tests.Unit.Reconciler.Events;

public sealed class EventStoryTests
{
    private readonly TestClock _clock = new();
    private readonly EventStory _story;

    public EventStoryTests() => _story = new EventStory(_clock);

    [Fact]
    public void The_same_again_is_one_Event_that_counts()
    {
        var first = _clock.GetUtcNow();
        _story.Tell(Note());
        _clock.Advance(TimeSpan.FromMinutes(1));
        _story.Tell(Note());
        var state = WriteAll().ShouldHaveSingleItem();
        (state.Count, state.First, state.Last).ShouldBe((2, first, first.AddMinutes(1)));
        // Written as it was, it is written again under the same name when it happens again.
        _story.Next().ShouldBeNull();
        _story.Tell(Note());
        var again = WriteAll().ShouldHaveSingleItem();
        (again.Name, again.Count).ShouldBe((state.Name, 3));
    }

    [Fact]
    public void Another_type_reason_or_note_is_another_Event()
    {
        _story.Tell(Note());
        _story.Tell(Note(type: "Warning"));
        _story.Tell(Note(reason: "Other"));
        _story.Tell(Note("In other words."));
        WriteAll().Select(state => state.Name).Distinct().Count().ShouldBe(4);
    }

    [Fact]
    public void What_happens_again_while_it_is_being_written_is_not_taken_for_written()
    {
        _story.Tell(Note());
        var writing = _story.Next()!;
        _story.Tell(Note());
        _story.Finish(writing);
        _story.Next()!.Count.ShouldBe(2);
    }

    [Fact]
    public void After_an_hour_the_API_server_has_forgotten_the_Event_and_a_new_one_is_made()
    {
        _story.Tell(Note());
        var first = WriteAll().Single();
        _clock.Advance(TimeSpan.FromMinutes(59));
        _story.Tell(Note());
        WriteAll().Single().Name.ShouldBe(first.Name);
        _clock.Advance(TimeSpan.FromMinutes(61));
        _story.Tell(Note());
        var second = WriteAll().Single();
        (second.Name == first.Name).ShouldBeFalse();
        second.Count.ShouldBe(1);
    }

    [Fact]
    public void Of_many_that_differ_only_in_their_words_the_later_ones_share_an_Event()
    {
        for (var i = 1; i <= 15; i++)
            _story.Tell(Note($"Attempt {i} failed."));
        _story.Tell(Note("Attempt 3 failed."));
        var told = WriteAll();
        told.Count.ShouldBe(EventStory.SimilarApart + 1);
        told.Select(state => state.What.Note).ShouldContain("(combined from similar events): Attempt 15 failed.");
        told.Single(state => state.What.Note.StartsWith('(')).Count.ShouldBe(5);
        told.Single(state => state.What.Note == "Attempt 3 failed.").Count.ShouldBe(2);
        // Slowly they are news again.
        _clock.Advance(EventStory.SimilarWithin + TimeSpan.FromSeconds(1));
        _story.Tell(Note("Attempt 16 failed."));
        WriteAll().Single().What.Note.ShouldBe("Attempt 16 failed.");
    }

    [Fact]
    public void What_is_new_is_written_before_what_has_only_happened_again()
    {
        _story.Tell(Note("old"));
        WriteAll();
        _story.Tell(Note("old"));
        _story.Tell(Note("new 1"));
        _story.Tell(Note("new 2"));
        WriteAll().Select(state => state.What.Note).ShouldBe(["new 1", "new 2", "old"]);
    }

    [Fact]
    public void It_has_room_for_a_bounded_number_and_makes_room_of_what_is_written()
    {
        string Reason(int i) => string.Create(CultureInfo.InvariantCulture, $"R{i}");
        var kept = 0;
        while (_story.Tell(Note(reason: Reason(kept))))
            (++kept).ShouldBeLessThan(1000);
        _story.Unwritten.ShouldBe(kept);
        _story.Finish(_story.Next()!);
        _story.Tell(Note(reason: "Late")).ShouldBeTrue();
        _story.Unwritten.ShouldBe(kept);
    }

    private List<EventState> WriteAll()
    {
        var states = new List<EventState>();
        while (_story.Next() is { } state)
        {
            states.Add(state);
            _story.Finish(state);
        }

        return states;
    }
}
