using System.Buffers.Text;
using System.Text;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Serving;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>Which NEDs a list is of.</summary>
/// <param name="Selector">By labels.</param>
/// <param name="Limit">Most items of a page.</param>
/// <param name="After">The last item of the page before, or null for the first page.</param>
internal sealed record ListQuery(LabelSelector Selector, int Limit, ObjectKey? After)
{
    /// <summary>Most items of a page, and as many as one has when nobody says how many.</summary>
    public const int MostItems = 1000;

    /// <summary>Reads the parameters of a request.</summary>
    public static (ListQuery? Query, ProblemHttpResult? Problem) Read(string? labelSelector, int? limit, string? token)
    {
        if (limit is < 1 or > MostItems)
            return (null, Problems.Invalid("limit", $"limit is {limit}; allowed are 1 to {MostItems}."));
        if (LabelSelector.Parse(labelSelector ?? "") is var (selector, problem) && selector is null)
            return (null, Problems.Invalid("labelSelector", problem!));
        if (string.IsNullOrEmpty(token))
            return (new ListQuery(selector, limit ?? MostItems, null), null);
        return KeyOf(token) is { } after
            ? (new ListQuery(selector, limit ?? MostItems, after), null)
            : (null, Problems.Invalid("continue", "continue is not what a page before has given; leave it out to begin anew."));
    }

    /// <summary>The page, and how many follow it. What changes between two pages is seen as it is by then; nothing else is left out or given twice.</summary>
    public (List<NedView> Page, int Remaining) Of(NedSnapshot all, Visibility visible)
    {
        var page = new List<NedView>(Math.Min(Limit, all.Neds.Length));
        var remaining = 0;
        foreach (var view in all.Neds.AsSpan(Start(all)))
        {
            if (!visible.Includes(view.Key.Namespace) || !Selector.Matches(view.Labels))
                continue;
            if (page.Count < Limit)
                page.Add(view);
            else
                remaining++;
        }

        return (page, remaining);
    }

    /// <summary>What leads to the page after the one that ends with this item.</summary>
    public static string TokenAfter(ObjectKey last) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(last.ToString()));

    private int Start(NedSnapshot all)
    {
        if (After is not { } after)
            return 0;
        var (low, high) = (0, all.Neds.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (NedViews.Compare(all.Neds[middle].Key, after) <= 0)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private static ObjectKey? KeyOf(string token)
    {
        if (token.Length > 1024 || !Base64Url.IsValid(token))
            return null;
        return Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token)).Split('/') is [{ Length: > 0 } space, { Length: > 0 } name] ? new ObjectKey(space, name) : null;
    }
}
