using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>A destination of a plugin.</summary>
internal sealed class OutboundConnectionValidator : AbstractValidator<OutboundConnection>
{
    public OutboundConnectionValidator()
    {
        RuleFor(connection => connection.Fqdn).HostOrAddress();
        RuleFor(connection => connection.Port).PortNumber();
        RuleFor(connection => connection.Type).Custom((type, context) =>
        {
            if (type is not (null or OutboundTypes.Default))
                context.AddFailure($"'{type}' is not a type that this version has, allowed is {OutboundTypes.Default}");
        });
    }
}
