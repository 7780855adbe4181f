using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>Fields of which exactly one is to be given.</summary>
internal static class OneOf
{
    /// <summary>Adds a failure at the property in hand when none or more than one of its fields is given.</summary>
    public static void ExactlyOne<T>(this ValidationContext<T> context, params ReadOnlySpan<(string Name, bool Given)> fields)
    {
        var (given, all) = (new List<string>(), new List<string>());
        foreach (var (name, isGiven) in fields)
        {
            all.Add(name);
            if (isGiven)
                given.Add(name);
        }

        if (given.Count != 1)
            context.AddFailure($"has {(given.Count == 0 ? "none" : string.Join(" and ", given))} of its kinds; required is exactly one of {string.Join(", ", all)}");
    }
}
