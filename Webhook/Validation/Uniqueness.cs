using FluentValidation;
using FluentValidation.Results;

namespace Enclaves.Webhook.Validation;

/// <summary>Values that may occur only once, wherever they stand in an object.</summary>
internal static class Uniqueness
{
    /// <summary>Adds a failure at the path of every item whose value an earlier item has already; absent values do not count.</summary>
    public static void Unique<T, TItem>(
        this ValidationContext<T> context, IReadOnlyList<TItem> items, Func<TItem, object?> value, Func<TItem, int, string> path, string scope)
    {
        if (items.Count < 2)
            return;
        var first = new Dictionary<object, int>();
        for (var i = 0; i < items.Count; i++)
        {
            if (value(items[i]) is not { } found || first.TryAdd(found, i))
                continue;
            var before = first[found];
            context.AddFailure(new ValidationFailure(path(items[i], i), $"'{found}' is already used by {path(items[before], before)}; it must be unique {scope}") { ErrorCode = "Uniqueness" });
        }
    }
}
