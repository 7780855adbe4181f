using System.Text.RegularExpressions;
using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>User and privileges of a container.</summary>
internal sealed partial class SecurityContextValidator : AbstractValidator<PluginSecurityContext>
{
    public SecurityContextValidator()
    {
        RuleFor(security => security.RunAsUser).Custom(CheckId);
        RuleFor(security => security.RunAsGroup).Custom(CheckId);
        RuleForEach(security => security.Capabilities!.Add).Custom(CheckCapability).When(security => security.Capabilities is not null);
        RuleForEach(security => security.Capabilities!.Drop).Custom(CheckCapability).When(security => security.Capabilities is not null);
    }

    private static void CheckId(long? id, ValidationContext<PluginSecurityContext> context)
    {
        if (id is < 0 or > int.MaxValue)
            context.AddFailure($"{id} is not an id, allowed are 0 to {int.MaxValue}");
    }

    private static void CheckCapability(string? name, ValidationContext<PluginSecurityContext> context)
    {
        if (name is null || !Capability().IsMatch(name))
            context.AddFailure($"'{name}' is not a capability; allowed are names such as NET_BIND_SERVICE without CAP_ before them, or ALL");
    }

    [GeneratedRegex(@"\A(?!CAP_)[A-Z][A-Z0-9_]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Capability();
}
