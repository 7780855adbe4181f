using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>An environment variable of a plugin.</summary>
internal sealed class EnvVarValidator : AbstractValidator<EnvVar>
{
    public EnvVarValidator() => RuleFor(variable => variable.Name).VariableName();
}
