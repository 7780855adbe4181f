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
        RuleFor(spec => spec.Enclave).Part(new EnclaveValidator());
        RuleFor(spec => spec.RestartPolicy).RestartPolicy();
        RuleFor(spec => spec.UserPlugins).Each(new UserPluginValidator());
        RuleFor(spec => spec.PrivilegedPlugins).Each(new PrivilegedPluginValidator());
        RuleFor(spec => spec.Volumes).Each(new VolumeValidator());
        RuleFor(spec => spec.Logging).Part(new LoggingValidator());
        RuleFor(spec => spec.Service).Part(new ServiceValidator());
        Include(new RolloutValidator());
    }
}
