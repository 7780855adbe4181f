using FluentValidation;
using FluentValidation.Results;
using FluentValidation.Validators;

namespace Enclaves.Webhook.Validation;

/// <summary>
/// The rules of an object's parts, as SetValidator and RuleForEach give them, save that the path of a part is put together only for what is
/// wrong in it. FluentValidation's own put together the path of every rule of every part before they look, which is most of what they allocate.
/// </summary>
internal static class Parts
{
    /// <summary>The part, where it is there, must pass its validator.</summary>
    public static IRuleBuilderOptions<T, TPart?> Part<T, TPart>(this IRuleBuilder<T, TPart?> rule, IValidator<TPart> validator)
        where TPart : class => rule.SetValidator(new PartValidator<T, TPart>(validator)!);

    /// <summary>Every item of the list, where it is there, must pass its validator.</summary>
    public static IRuleBuilderOptions<T, IReadOnlyList<TPart>?> Each<T, TPart>(this IRuleBuilder<T, IReadOnlyList<TPart>?> rule, IValidator<TPart> validator)
        where TPart : class => rule.SetValidator(new ListValidator<T, TPart>(validator)!);

    private static void AddFailures<T>(ValidationContext<T> context, string path, List<ValidationFailure> failures, IValidator validator)
    {
        foreach (var failure in failures)
        {
            // The innermost validator's stays.
            failure.ErrorCode ??= Concept(validator);
            failure.PropertyName = failure.PropertyName.Length == 0 ? path : $"{path}.{failure.PropertyName}";
            context.AddFailure(failure);
        }
    }

    // UserPluginValidator → UserPlugin: what denials are counted by.
    private static string Concept(IValidator validator) => validator.GetType().Name.Replace("Validator", "", StringComparison.Ordinal);

    private sealed class PartValidator<T, TPart>(IValidator<TPart> validator) : PropertyValidator<T, TPart?>, IChildValidatorAdaptor
        where TPart : class
    {
        public override string Name => nameof(Part);

        public Type ValidatorType => validator.GetType();

        // Always true: what is wrong is added by itself.
        public override bool IsValid(ValidationContext<T> context, TPart? value)
        {
            if (value is not null)
                AddFailures(context, context.PropertyPath, validator.Validate(value).Errors, validator);
            return true;
        }
    }

    private sealed class ListValidator<T, TPart>(IValidator<TPart> validator) : PropertyValidator<T, IReadOnlyList<TPart>?>, IChildValidatorAdaptor
        where TPart : class
    {
        public override string Name => nameof(Each);

        public Type ValidatorType => validator.GetType();

        public override bool IsValid(ValidationContext<T> context, IReadOnlyList<TPart>? value)
        {
            for (var i = 0; i < (value?.Count ?? 0); i++)
            {
                var failures = validator.Validate(value![i]).Errors;
                if (failures.Count > 0)
                    AddFailures(context, $"{context.PropertyPath}[{i}]", failures, validator);
            }

            return true;
        }
    }
}
