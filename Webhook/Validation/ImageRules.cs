using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>Image references.</summary>
internal static class ImageRules
{
    /// <summary>A reference that can be parsed; one without a digest gives a warning.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> Image<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((image, context) =>
    {
        if (!ImageReference.TryParse(image, out var reference, out var problem))
            context.AddFailure(problem);
        else if (reference.Digest is null)
            context.Warn($"'{image}' has no digest: what runs can change without this object changing; use {WithoutTag(image!, reference)}@sha256:…");
    });

    private static string WithoutTag(string image, ImageReference reference) => reference.Tag is { } tag ? image[..^(tag.Length + 1)] : image;
}
