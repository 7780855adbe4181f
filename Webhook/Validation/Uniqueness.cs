using FluentValidation;
using FluentValidation.Results;

namespace Enclaves.Webhook.Validation;

/// <summary>Values that may occur only once, wherever they stand in an object.</summary>
internal static class Uniqueness
{
    /// <summary>Adds a failure at the path of every value that an earlier path has already.</summary>
    public static void Unique<T, TValue>(this ValidationContext<T> context, IEnumerable<(string Path, TValue? Value)> values, string scope)
        where TValue : notnull
    {
        var first = new Dictionary<TValue, string>();
        foreach (var (path, value) in values)
        {
            if (value is null || first.TryAdd(value, path))
                continue;
            context.AddFailure(new ValidationFailure(path, $"'{value}' is already used by {PropertyPaths.ToJson(first[value])}; it must be unique {scope}"));
        }
    }
}
