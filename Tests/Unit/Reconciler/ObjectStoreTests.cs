using Enclaves.Reconciler.Control;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class ObjectStoreTests
{
    private static readonly ObjectKey A = new("default", "a");

    [Fact]
    public void The_same_version_again_is_no_change()
    {
        var store = new ObjectStore<Thing>();
        var changes = 0;
        store.Changed += _ => changes++;
        store.Put(new Thing("a", "1"));
        store.Put(new Thing("a", "1"));
        store.Replace([new Thing("a", "1")]);
        changes.ShouldBe(1);
    }

    [Fact]
    public void A_handler_sees_the_whole_new_state_from_the_first_change_on()
    {
        var store = new ObjectStore<Thing>();
        store.Put(new Thing("a", "1"));
        var seen = new List<int>();
        store.Changed += _ => seen.Add(store.Count);
        store.Replace([new Thing("b", "2"), new Thing("c", "3")]);
        seen.ShouldBe([2, 2, 2]);
        store.Get(A).ShouldBeNull();
    }

    [Fact]
    public void A_change_says_whether_it_was_found_in_a_list()
    {
        var store = new ObjectStore<Thing>();
        var listed = new List<bool>();
        store.Changed += change => listed.Add(change.IsListed);
        store.Put(new Thing("a", "1"));
        store.Replace([new Thing("b", "2")]);
        store.Remove(new ObjectKey("default", "b"));
        listed.ShouldBe([false, true, true, false]);
    }

    [Fact]
    public void Objects_are_found_by_the_index_as_it_changes()
    {
        var store = new ObjectStore<Thing>(thing => thing.ResourceVersion.StartsWith('x') ? "x" : null);
        store.Put(new Thing("a", "x1"));
        store.Put(new Thing("b", "x2"));
        store.Find("x").Count.ShouldBe(2);
        store.Put(new Thing("a", "y1"));
        store.Find("x").ShouldBe([new Thing("b", "x2")]);
        store.Remove(new ObjectKey("default", "b"));
        store.Find("x").ShouldBeEmpty();
        store.Remove(new ObjectKey("default", "b"));
        store.Count.ShouldBe(1);
    }
}
