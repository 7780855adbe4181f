using System.Collections.Concurrent;
using System.Collections.Frozen;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Reconciling;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>Asks the API server whose NEDs somebody may see.</summary>
internal sealed class VisibleNeds(AccessReviews reviews, NedViews neds, ClusterStores stores)
{
    /// <summary>Of how many namespaces without NEDs it is asked, only to learn whether somebody has a right in one of them.</summary>
    public const int MostEmptyNamespaces = 200;

    private const int QuestionsAtOnce = 8;

    /// <summary>
    /// What somebody may see of all namespaces: everything, with the right to it, or else what each namespace that has NEDs lets them see. Null when they
    /// may see none anywhere; that there is none where they may is no refusal.
    /// </summary>
    /// <param name="caller">Who.</param>
    /// <param name="verb">What for: list or watch.</param>
    /// <param name="before">What they could see before: of that it is asked again, whether or not it still has NEDs.</param>
    /// <param name="cancellation">Ends the questions.</param>
    public async Task<Visibility?> OfAllAsync(Caller caller, string verb, Visibility? before, CancellationToken cancellation)
    {
        if (await reviews.MayAsync(caller, Access.ToNeds(verb), cancellation))
            return Visibility.All;
        var filled = neds.Now.Namespaces.Union(before?.Namespaces ?? [], StringComparer.Ordinal).ToList();
        var seen = await AllowedAsync(caller, verb, filled, cancellation);
        if (seen.Count > 0)
            return new Visibility(false, seen);
        var empty = stores.Namespaces.All.Select(space => space.Key.Name).Except(filled, StringComparer.Ordinal).ToList();
        if (empty.Count > MostEmptyNamespaces)
            return new Visibility(false, seen);
        seen = await AllowedAsync(caller, verb, empty, cancellation);
        return seen.Count > 0 || filled.Count + empty.Count == 0 ? new Visibility(false, seen) : null;
    }

    /// <summary>What somebody may see of one namespace; null when that is nothing.</summary>
    public async Task<Visibility?> InAsync(Caller caller, string verb, string space, CancellationToken cancellation) =>
        await reviews.MayAsync(caller, Access.ToNeds(verb, space), cancellation) ? Visibility.Of(space) : null;

    private async Task<FrozenSet<string>> AllowedAsync(Caller caller, string verb, IReadOnlyCollection<string> spaces, CancellationToken cancellation)
    {
        var allowed = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(spaces, new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce, CancellationToken = cancellation }, async (space, stopping) =>
        {
            if (await reviews.MayAsync(caller, Access.ToNeds(verb, space), stopping))
                allowed.Add(space);
        });
        return allowed.ToFrozenSet(StringComparer.Ordinal);
    }
}
