using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>Amounts of memory and processor time.</summary>
internal static class QuantityRules
{
    /// <summary>Memory above 0, or absent.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> MemoryAmount<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((text, context) =>
    {
        if (text is null)
            return;
        if (!MemoryQuantity.TryParse(text, out var bytes, out var problem))
            context.AddFailure(problem);
        else if (bytes <= 0)
            context.AddFailure($"'{text}' is nothing, allowed is any amount above 0");
    });

    /// <summary>Processor time above 0, or absent.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> CpuAmount<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((text, context) =>
    {
        if (text is not null && !CpuQuantity.TryParse(text, out _, out var problem))
            context.AddFailure(problem);
    });
}
