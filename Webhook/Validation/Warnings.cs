using FluentValidation;
using FluentValidation.Results;

namespace Enclaves.Webhook.Validation;

/// <summary>Findings that do not refuse an object.</summary>
internal static class Warnings
{
    /// <summary>Adds a warning about the property in hand.</summary>
    public static void Warn<T>(this ValidationContext<T> context, string message) =>
        context.AddFailure(new ValidationFailure(context.PropertyPath, message) { Severity = Severity.Warning });
}
