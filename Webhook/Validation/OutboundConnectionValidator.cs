using System.Net;
using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>A destination of a plugin: what each type requires and forbids.</summary>
internal sealed class OutboundConnectionValidator : AbstractValidator<OutboundConnection>
{
    public OutboundConnectionValidator()
    {
        RuleFor(connection => connection.Fqdn).HostOrAddress();
        RuleFor(connection => connection.Fqdn).Custom((host, context) =>
        {
            if (context.InstanceToValidate.Type is OutboundTypes.Enclave or OutboundTypes.Proxy && IPAddress.TryParse(host, out _))
                context.AddFailure($"'{host}' is an address, which type {context.InstanceToValidate.Type} cannot have; allowed is a host name");
        });
        RuleFor(connection => connection.Port).PortNumber();
        RuleFor(connection => connection.Type).Custom((type, context) =>
        {
            if (type is not (null or OutboundTypes.Default or OutboundTypes.Enclave or OutboundTypes.Proxy))
                context.AddFailure($"'{type}' is not a type, allowed are {OutboundTypes.Default}, {OutboundTypes.Enclave} and {OutboundTypes.Proxy}");
        });
        RuleFor(connection => connection.ProxyUrl).Custom((url, context) =>
        {
            OnlyWith(url, OutboundTypes.Proxy, required: true, context);
            if (url is not null && !UrlRules.IsUrl(url, "https"))
                context.AddFailure($"'{url}' is not a URL of a proxy, allowed is https://HOST[:PORT][/PATH]");
        });
        RuleFor(connection => connection.AttestationPort).PortNumber();
        RuleFor(connection => connection.AttestationPort).Custom((port, context) => OnlyWith(port, OutboundTypes.Proxy, required: true, context));
        RuleFor(connection => connection.ProxyAttestationIntervalSeconds).Custom((seconds, context) =>
        {
            OnlyWith(seconds, OutboundTypes.Proxy, required: false, context);
            if (seconds is < NedDefaults.ProxyAttestationIntervalSeconds or > NedDefaults.LongestProxyAttestationIntervalSeconds)
                context.AddFailure($"{seconds} is out of range, allowed are {NedDefaults.ProxyAttestationIntervalSeconds} to {NedDefaults.LongestProxyAttestationIntervalSeconds}");
        });
        RuleFor(connection => connection.ConfigMap).ObjectName();
        RuleFor(connection => connection.ConfigMap).Custom((name, context) => OnlyWith(name, OutboundTypes.Enclave, required: true, context));
    }

    private static void OnlyWith(object? value, string type, bool required, ValidationContext<OutboundConnection> context)
    {
        var has = context.InstanceToValidate.Type ?? OutboundTypes.Default;
        if (value is not null && has != type)
            context.AddFailure($"is for type {type} only, and this connection is of type {has}; remove it");
        else if (value is null && has == type && required)
            context.AddFailure($"is required for type {type}");
    }
}
