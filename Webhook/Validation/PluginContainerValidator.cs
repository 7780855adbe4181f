using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>How a plugin's container runs, for plugins of both lists.</summary>
internal sealed class PluginContainerValidator : AbstractValidator<PluginContainer>
{
    public PluginContainerValidator()
    {
        RuleForEach(container => container.Env).SetValidator(new EnvVarValidator());
        RuleForEach(container => container.Ports).SetValidator(new PluginPortValidator());
        RuleForEach(container => container.OutboundConnections).SetValidator(new OutboundConnectionValidator());
        RuleFor(container => container.Resources!.Limits!.Cpu).CpuAmount().When(container => container.Resources?.Limits is not null);
        RuleFor(container => container.Resources!.Limits!.Memory).MemoryAmount().When(container => container.Resources?.Limits is not null);
        RuleFor(container => container.SecurityContext).SetValidator(new SecurityContextValidator()!);
    }
}
