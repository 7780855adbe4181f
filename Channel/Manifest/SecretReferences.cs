namespace Enclaves.Channel.Manifest;

/// <summary>The Secrets that a manifest refers to, besides those of registries: what the host hands over, and what the enclave takes.</summary>
public static class SecretReferences
{
    /// <summary>The keys of each Secret by its name; null where all of its keys are wanted.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<string>?> Of(EnclaveManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var references = manifest.Containers.SelectMany(container => container.Env).Select(variable => variable.Secret).OfType<ManifestSecretKey>()
            .Select(secret => (secret.Name, Keys: (IEnumerable<string>?)[secret.Key]))
            .Concat((manifest.Volumes ?? []).Select(volume => volume.Secret).OfType<ManifestSecretFiles>()
                .Select(secret => (secret.Name, Keys: secret.Items?.Select(item => item.Key))));
        return references.GroupBy(reference => reference.Name, reference => reference.Keys, StringComparer.Ordinal).ToDictionary(
            secret => secret.Key,
            secret => secret.Any(keys => keys is null) ? null : (IReadOnlySet<string>)secret.SelectMany(keys => keys!).ToHashSet(StringComparer.Ordinal),
            StringComparer.Ordinal);
    }
}
