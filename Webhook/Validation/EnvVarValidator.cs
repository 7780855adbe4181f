using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>An environment variable of a plugin: its name, and one source of its value at most.</summary>
internal sealed class EnvVarValidator : AbstractValidator<EnvVar>
{
    public EnvVarValidator()
    {
        RuleFor(variable => variable.Name).VariableName();
        RuleFor(variable => variable.ValueFrom).Custom((source, context) =>
        {
            if (source is null)
                return;
            if (context.InstanceToValidate.Value is not null)
                context.AddFailure("may not stand beside value; allowed is one of them");
            context.ExactlyOne(
                ("configMapKeyRef", source.ConfigMapKeyRef is not null), ("secretKeyRef", source.SecretKeyRef is not null), ("fieldRef", source.FieldRef is not null));
        });
        RuleFor(variable => variable.ValueFrom!.ConfigMapKeyRef).Part(new KeyReferenceValidator()).When(variable => variable.ValueFrom is not null);
        RuleFor(variable => variable.ValueFrom!.SecretKeyRef).Part(new KeyReferenceValidator()).When(variable => variable.ValueFrom is not null);
        RuleFor(variable => variable.ValueFrom!.FieldRef!.FieldPath).Custom((path, context) =>
        {
            if (path is not (NedFieldPaths.Name or NedFieldPaths.Namespace))
                context.AddFailure($"'{path}' is not a field that stays the same and can be measured, allowed are {NedFieldPaths.Name} and {NedFieldPaths.Namespace}");
        }).When(variable => variable.ValueFrom?.FieldRef is not null);
    }
}

/// <summary>A key of a ConfigMap or Secret.</summary>
internal sealed class KeyReferenceValidator : AbstractValidator<KeyReference>
{
    public KeyReferenceValidator()
    {
        RuleFor(reference => reference.Name).RequiredObjectName();
        RuleFor(reference => reference.Key).DataKey();
    }
}
