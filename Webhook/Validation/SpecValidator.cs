using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>spec: its parts, each in a file of its own, and what must hold between them.</summary>
internal sealed class SpecValidator : AbstractValidator<NitroEnclaveDeploymentSpec>
{
    public SpecValidator()
    {
        RuleFor(spec => spec.Replicas).Custom((replicas, context) =>
        {
            if (replicas < 0)
                context.AddFailure($"{replicas} is negative, allowed are 0 and more");
        });
        RuleFor(spec => spec.Enclave).SetValidator(new EnclaveValidator()!);
        RuleFor(spec => spec.RestartPolicy).RestartPolicy();
        RuleForEach(spec => spec.UserPlugins).SetValidator(new UserPluginValidator());
        RuleForEach(spec => spec.PrivilegedPlugins).SetValidator(new PrivilegedPluginValidator());
        RuleForEach(spec => spec.Volumes).SetValidator(new VolumeValidator());
        RuleFor(spec => spec).Custom(PluginListRules.Check);
        RuleFor(spec => spec.Logging).SetValidator(new LoggingValidator()!);
        RuleFor(spec => spec.Service).SetValidator(new ServiceValidator()!);
        Include(new RolloutValidator());
    }
}
