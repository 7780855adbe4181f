using FluentValidation;
using FluentValidation.Results;

namespace Enclaves.Webhook.Validation;

/// <summary>
/// The rules of an object's parts, as SetValidator and RuleForEach give them, save that the path of a part is put together only for what is
/// wrong in it. FluentValidation's own put together the path of every rule of every part before they look, which is most of what they allocate.
/// </summary>
internal static class Parts
{
    /// <summary>The part, where it is there, must pass its validator.</summary>
    public static IRuleBuilderOptionsConditions<T, TPart?> Part<T, TPart>(this IRuleBuilder<T, TPart?> rule, IValidator<TPart> validator)
        where TPart : class => rule.Custom((part, context) =>
    {
        if (part is not null)
            context.AddFailures(context.PropertyPath, validator.Validate(part).Errors);
    });

    /// <summary>Every item of the list, where it is there, must pass its validator.</summary>
    public static IRuleBuilderOptionsConditions<T, IReadOnlyList<TPart>?> Each<T, TPart>(this IRuleBuilder<T, IReadOnlyList<TPart>?> rule, IValidator<TPart> validator)
        where TPart : class => rule.Custom((list, context) =>
    {
        for (var i = 0; i < (list?.Count ?? 0); i++)
        {
            var failures = validator.Validate(list![i]).Errors;
            if (failures.Count > 0)
                context.AddFailures($"{context.PropertyPath}[{i}]", failures);
        }
    });

    private static void AddFailures<T>(this ValidationContext<T> context, string path, List<ValidationFailure> failures)
    {
        foreach (var failure in failures)
        {
            failure.PropertyName = failure.PropertyName.Length == 0 ? path : $"{path}.{failure.PropertyName}";
            context.AddFailure(failure);
        }
    }
}
