using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>A port of a plugin.</summary>
internal sealed class PluginPortValidator : AbstractValidator<PluginPort>
{
    public PluginPortValidator()
    {
        RuleFor(port => port.ContainerPort).PortNumber();
        RuleFor(port => port.HostPort).PortNumber();
        RuleFor(port => port.Name).DnsLabel().When(port => port.Name is not null);
    }
}
