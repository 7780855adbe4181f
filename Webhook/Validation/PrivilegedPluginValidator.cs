using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>One privileged plugin by itself: what its kind requires and what it may have.</summary>
internal sealed class PrivilegedPluginValidator : AbstractValidator<PrivilegedPlugin>
{
    private static readonly (string Field, Func<PrivilegedPluginSpec, object?> Value, string[] Kinds)[] Fields =
    [
        ("Ports", spec => spec.Ports, [PrivilegedKinds.Auth, PrivilegedKinds.Telemetry]),
        ("Volumes", spec => spec.Volumes, [PrivilegedKinds.Auth, PrivilegedKinds.Logging]),
        ("Env", spec => spec.Env, [PrivilegedKinds.Auth, PrivilegedKinds.Logging]),
        ("Resources", spec => spec.Resources, [PrivilegedKinds.Auth]),
        ("LogsAccess", spec => spec.LogsAccess, [PrivilegedKinds.Logging]),
    ];

    public PrivilegedPluginValidator()
    {
        RuleFor(plugin => plugin.Kind).Custom((kind, context) =>
        {
            if (kind is not (PrivilegedKinds.Auth or PrivilegedKinds.Logging or PrivilegedKinds.Telemetry))
                context.AddFailure($"'{kind}' is not a kind, allowed are {PrivilegedKinds.Auth}, {PrivilegedKinds.Logging} and {PrivilegedKinds.Telemetry}");
        });
        RuleFor(plugin => plugin.Name).DnsLabel();
        RuleFor(plugin => plugin.Name).PluginName();
        RuleFor(plugin => plugin.Namespace).DnsLabel();
        RuleFor(plugin => plugin.Image).Image();
        RuleFor(plugin => plugin.ImagePullSecret).ObjectName();
        RuleFor(plugin => plugin.ProxyPort).PortNumber();
        RuleFor(plugin => plugin.ProxyPort).Custom((port, context) =>
        {
            var isAuth = context.InstanceToValidate.Kind == PrivilegedKinds.Auth;
            if (isAuth && port is null)
                context.AddFailure($"is required for kind {PrivilegedKinds.Auth}: the port to which inbound traffic goes first");
            else if (!isAuth && port is not null)
                context.AddFailure($"is for kind {PrivilegedKinds.Auth} only; remove it");
        });
        RuleFor(plugin => plugin.Spec).Custom((spec, context) => CheckFields(spec, context));
        RuleFor(plugin => plugin.Spec).Part(new PluginContainerValidator());
        RuleFor(plugin => plugin.Spec!.Volumes).Each(new MountValidator()).When(plugin => plugin.Spec is not null);
    }

    private static void CheckFields(PrivilegedPluginSpec? spec, ValidationContext<PrivilegedPlugin> context)
    {
        if (spec is null)
        {
            context.AddFailure("is required, {} at least");
            return;
        }

        foreach (var (field, value, kinds) in Fields)
        {
            if (value(spec) is not null && !kinds.Contains(context.InstanceToValidate.Kind))
                context.AddFailure($"Spec.{field}", $"is for kind {string.Join(" and ", kinds)} only; remove it");
        }
    }
}
