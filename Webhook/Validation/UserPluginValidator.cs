using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>One plugin by itself; what must hold between plugins is in <see cref="SpecValidator"/>.</summary>
internal sealed class UserPluginValidator : AbstractValidator<UserPlugin>
{
    public UserPluginValidator()
    {
        RuleFor(plugin => plugin.Name).DnsLabel();
        RuleFor(plugin => plugin.Image).Image();
        RuleFor(plugin => plugin.ImagePullSecret).ObjectName();
        RuleFor(plugin => plugin.RestartPolicy).RestartPolicy();
        RuleForEach(plugin => plugin.Env).SetValidator(new EnvVarValidator());
        RuleForEach(plugin => plugin.Ports).SetValidator(new PluginPortValidator());
        RuleForEach(plugin => plugin.OutboundConnections).SetValidator(new OutboundConnectionValidator());
    }
}
