using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>Image references.</summary>
internal static class ImageRules
{
    /// <summary>A reference that can be parsed; what it may refer to is a matter of <see cref="ImagePolicy"/>.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> Image<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((image, context) =>
    {
        if (!ImageReference.TryParse(image, out _, out var problem))
            context.AddFailure(problem);
    });
}
