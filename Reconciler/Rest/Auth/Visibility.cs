using System.Collections.Frozen;
using Enclaves.Reconciler.Rest.Reading;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>Whose NEDs somebody may see.</summary>
/// <param name="Everywhere">All.</param>
/// <param name="Namespaces">Those of these namespaces, where not all.</param>
internal sealed record Visibility(bool Everywhere, FrozenSet<string> Namespaces)
{
    private static readonly Visibility All = new(true, FrozenSet<string>.Empty);

    /// <summary>Whether they see nothing.</summary>
    public bool IsNone => !Everywhere && Namespaces.Count == 0;

    /// <summary>Whether they see the NEDs of a namespace.</summary>
    public bool Includes(string space) => Everywhere || Namespaces.Contains(space);

    /// <summary>Whether it is the same as another.</summary>
    public bool IsSame(Visibility other) => Everywhere == other.Everywhere && Namespaces.SetEquals(other.Namespaces);

    /// <summary>
    /// What somebody may see of all namespaces: everything, with the right to it, or else what each namespace that has NEDs lets them see.
    /// </summary>
    public static async Task<Visibility> OfAsync(AccessReviews reviews, Caller caller, string verb, NedViews neds, CancellationToken cancellation)
    {
        if (await reviews.MayAsync(caller, Access.ToNeds(verb), cancellation))
            return All;
        var spaces = neds.Now.Namespaces;
        var may = await Task.WhenAll(spaces.Select(space => reviews.MayAsync(caller, Access.ToNeds(verb, space), cancellation)));
        return new Visibility(false, spaces.Where((_, index) => may[index]).ToFrozenSet(StringComparer.Ordinal));
    }

    /// <summary>One namespace.</summary>
    public static Visibility Of(string space) => new(false, [space]);

    /// <summary>What somebody may see of one namespace.</summary>
    public static async Task<Visibility> OfAsync(AccessReviews reviews, Caller caller, string verb, string space, CancellationToken cancellation) =>
        new(false, await reviews.MayAsync(caller, Access.ToNeds(verb, space), cancellation) ? [space] : []);
}
