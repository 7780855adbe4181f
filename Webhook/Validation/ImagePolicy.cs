using Enclaves.Api;
using Enclaves.Webhook.Options;
using FluentValidation;
using FluentValidation.Results;

namespace Enclaves.Webhook.Validation;

/// <summary>Which images the installation lets run in enclaves. By default any; one without a digest gives a warning.</summary>
internal sealed record ImagePolicy
{
    /// <summary><c>--require-digests</c>: whether a plugin's image without a digest is refused. An enclave image always has one.</summary>
    public bool RequireDigests { get; init; }

    /// <summary><c>--allowed-registries</c>: where images may come from, as HOST[:PORT] or HOST[:PORT]/PREFIX, comma-separated; empty for anywhere.</summary>
    public IReadOnlyList<string> AllowedRegistries { get; init; } = [];

    /// <summary>Reads the options.</summary>
    public static ImagePolicy Read(OptionsReader reader) => new()
    {
        RequireDigests = reader.Choice("require-digests", "false", "true", "false") == "true",
        AllowedRegistries = Split(reader.Checked("allowed-registries", "", text => Split(text).Select(Problem).FirstOrDefault(problem => problem is not null))),
    };

    /// <summary>What the policy has to say about a spec. References that cannot be parsed are left to the rules of the fields.</summary>
    public IEnumerable<ValidationFailure> Findings(NitroEnclaveDeploymentSpec spec)
    {
        // A name of a file in the EnclaveHost image comes from no registry.
        if (spec.Enclave?.Image is { } enclave && !EnclaveImageFile.IsName(enclave) && ImageReference.TryParse(enclave, out var reference, out _) && !IsAllowed(reference))
            yield return Foreign("spec.enclave.image", enclave, reference);
        foreach (var plugin in NedPlugin.Of(spec))
        {
            if (!ImageReference.TryParse(plugin.Image, out var image, out _))
                continue;
            if (!IsAllowed(image))
                yield return Foreign($"{plugin.Path}.image", plugin.Image!, image);
            if (image.Digest is null)
                yield return Unpinned($"{plugin.Path}.image", plugin.Image!, image);
        }
    }

    private ValidationFailure Unpinned(string path, string image, ImageReference reference)
    {
        var pinned = $"{(reference.Tag is { } tag ? image[..^(tag.Length + 1)] : image)}@sha256:…";
        return RequireDigests
            ? new(path, $"'{image}' has no digest, which this installation requires; allowed is {pinned}")
            : new(path, $"'{image}' has no digest: what runs can change without this object changing; use {pinned}") { Severity = Severity.Warning };
    }

    private ValidationFailure Foreign(string path, string image, ImageReference reference) => new(path,
        $"'{image}' comes from {reference.Registry}/{reference.Repository}, which this installation does not allow; allowed are images from {string.Join(", ", AllowedRegistries)}");

    private bool IsAllowed(ImageReference image) => AllowedRegistries.Count == 0 || AllowedRegistries.Any(allowed =>
    {
        var (registry, prefix) = Parts(allowed);
        return registry.Equals(image.Registry, StringComparison.OrdinalIgnoreCase)
            && (prefix.Length == 0 || image.Repository == prefix || image.Repository.StartsWith(prefix + "/", StringComparison.Ordinal));
    });

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static (string Registry, string Prefix) Parts(string allowed) =>
        allowed.Split('/', 2) is [var registry, var prefix] ? (registry, prefix) : (allowed, "");

    // Read as the start of an image of it: docker.io must be written out, since "library" alone would be a path there.
    private static string? Problem(string allowed) =>
        ImageReference.TryParse(allowed + "/x", out var image, out _) && image.Registry == Parts(allowed).Registry && image is { Tag: null, Digest: null }
            ? null
            : $"'{allowed}' is neither a registry, such as registry.example:5000 or docker.io, nor one with the start of a path, such as registry.example/team";
}
