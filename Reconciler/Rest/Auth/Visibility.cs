using System.Collections.Frozen;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>Whose NEDs somebody may see.</summary>
/// <param name="Everywhere">All.</param>
/// <param name="Namespaces">Those of these namespaces, where not all.</param>
internal sealed record Visibility(bool Everywhere, FrozenSet<string> Namespaces)
{
    /// <summary>All NEDs.</summary>
    public static readonly Visibility All = new(true, FrozenSet<string>.Empty);

    /// <summary>One namespace.</summary>
    public static Visibility Of(string space) => new(false, [space]);

    /// <summary>Whether they see the NEDs of a namespace.</summary>
    public bool Includes(string space) => Everywhere || Namespaces.Contains(space);

    /// <summary>Whether it is the same as another.</summary>
    public bool IsSame(Visibility other) => Everywhere == other.Everywhere && Namespaces.SetEquals(other.Namespaces);
}
