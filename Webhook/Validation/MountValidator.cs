using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>A mount by itself; that it refers to a volume is in <see cref="PluginListRules"/>.</summary>
internal sealed class MountValidator : AbstractValidator<PluginMount>
{
    public MountValidator()
    {
        RuleFor(mount => mount.Name).DnsLabel();
        RuleFor(mount => mount.MountPath).MountPath();
        RuleFor(mount => mount.SubPath).RelativePath().When(mount => mount.SubPath is not null);
    }
}
