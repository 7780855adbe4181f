using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>How a plugin's container runs, for plugins of both lists.</summary>
internal sealed class PluginContainerValidator : AbstractValidator<PluginContainer>
{
    public PluginContainerValidator()
    {
        RuleFor(container => container.Env).Each(new EnvVarValidator());
        RuleFor(container => container.Ports).Each(new PluginPortValidator());
        RuleFor(container => container.OutboundConnections).Each(new OutboundConnectionValidator());
        RuleFor(container => container.Resources!.Limits!.Cpu).CpuAmount().When(container => container.Resources?.Limits is not null);
        RuleFor(container => container.Resources!.Limits!.Memory).MemoryAmount().When(container => container.Resources?.Limits is not null);
        RuleFor(container => container.SecurityContext).Part(new SecurityContextValidator());
    }
}
