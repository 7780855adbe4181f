using Enclaves.Api;
using Enclaves.Channel.Egress;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>One plugin by itself; what must hold between plugins is in <see cref="SpecValidator"/>.</summary>
internal sealed class UserPluginValidator : AbstractValidator<UserPlugin>
{
    public UserPluginValidator()
    {
        RuleFor(plugin => plugin.Name).DnsLabel();
        RuleFor(plugin => plugin.Name).Custom((name, context) =>
        {
            if (name == EgressRequest.ImagePull)
                context.AddFailure($"'{name}' stands for the pull of images in the egress rules, allowed is any other name");
        });
        RuleFor(plugin => plugin.Image).Image();
        RuleFor(plugin => plugin.ImagePullSecret).ObjectName();
        RuleFor(plugin => plugin.RestartPolicy).RestartPolicy();
        RuleForEach(plugin => plugin.Env).SetValidator(new EnvVarValidator());
        RuleForEach(plugin => plugin.Ports).SetValidator(new PluginPortValidator());
        RuleForEach(plugin => plugin.OutboundConnections).SetValidator(new OutboundConnectionValidator());
    }
}
