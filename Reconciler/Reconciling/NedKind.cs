using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>NitroEnclaveDeployments as a kind of the API server.</summary>
internal static class NedKind
{
    /// <summary>Their addresses.</summary>
    public static readonly ResourceKind Resource = new(NedNames.Group, NedNames.Version, NedNames.Plural, NedNames.Kind);

    /// <summary>The NED that controls an object, or null.</summary>
    public static ObjectKey? OwnerOf(LiveObject child) =>
        child is { OwnerKind: NedNames.Kind, OwnerName: { } name } ? new ObjectKey(child.Key.Namespace, name) : null;
}
