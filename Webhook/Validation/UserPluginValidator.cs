using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>One plugin by itself; what must hold between plugins is in <see cref="PluginListRules"/>.</summary>
internal sealed class UserPluginValidator : AbstractValidator<UserPlugin>
{
    public UserPluginValidator()
    {
        RuleFor(plugin => plugin.Name).DnsLabel();
        RuleFor(plugin => plugin.Name).PluginName();
        RuleFor(plugin => plugin.Image).Image();
        RuleFor(plugin => plugin.ImagePullSecret).ObjectName();
        RuleFor(plugin => plugin.RestartPolicy).RestartPolicy();
        RuleFor(plugin => plugin.VolumeMounts).Each(new MountValidator());
        RuleFor(plugin => plugin.LivenessProbe).Part(new ProbeValidator(isReadiness: false));
        RuleFor(plugin => plugin.ReadinessProbe).Part(new ProbeValidator(isReadiness: true));
        RuleFor(plugin => plugin.StartupProbe).Part(new ProbeValidator(isReadiness: false));
        Include(new PluginContainerValidator());
    }
}
