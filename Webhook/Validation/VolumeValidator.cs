using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>A volume: its name and its one source.</summary>
internal sealed class VolumeValidator : AbstractValidator<NedVolume>
{
    public VolumeValidator()
    {
        RuleFor(volume => volume.Name).DnsLabel();
        RuleFor(volume => volume).Custom((volume, context) => context.ExactlyOne(
            ("configMap", volume.ConfigMap is not null), ("secret", volume.Secret is not null), ("emptyDir", volume.EmptyDir is not null)));
        RuleFor(volume => volume.ConfigMap!.Name).RequiredObjectName().When(volume => volume.ConfigMap is not null);
        RuleFor(volume => volume.ConfigMap!.Items).Each(new KeyFileValidator()).When(volume => volume.ConfigMap is not null);
        RuleFor(volume => volume.Secret!.SecretName).RequiredObjectName().When(volume => volume.Secret is not null);
        RuleFor(volume => volume.Secret!.Items).Each(new KeyFileValidator()).When(volume => volume.Secret is not null);
        RuleFor(volume => volume.EmptyDir!.SizeLimit).MemoryAmount().When(volume => volume.EmptyDir is not null);
        RuleFor(volume => volume.EmptyDir!.Medium).Custom((medium, context) =>
        {
            if (medium is not (null or "" or EmptyDirVolume.MemoryMedium))
                context.AddFailure($"'{medium}' is not a medium that an enclave has, allowed is {EmptyDirVolume.MemoryMedium}, or none");
        }).When(volume => volume.EmptyDir is not null);
    }
}

/// <summary>A key and the file it becomes.</summary>
internal sealed class KeyFileValidator : AbstractValidator<KeyFile>
{
    public KeyFileValidator()
    {
        RuleFor(file => file.Key).DataKey();
        RuleFor(file => file.Path).RelativePath();
    }
}
