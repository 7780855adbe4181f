using System.Security.Cryptography;
using System.Text;
using Enclaves.Channel.Manifest;

namespace Enclaves.Api;

/// <summary>Volumes and mounts as the manifest has them, files out of ConfigMaps with their content.</summary>
internal static class VolumeMapping
{
    // A pod's default (Kubernetes, ConfigMapVolumeSourceDefaultMode): 0644.
    private const int DefaultMode = 420;

    /// <summary>The volumes of a spec; null where it has none.</summary>
    /// <exception cref="NedSpecException">What is not optional does not exist, or a field is missing.</exception>
    public static IReadOnlyList<ManifestVolume>? Volumes(NitroEnclaveDeploymentSpec spec, IConfigValues config) =>
        spec.Volumes is { Count: > 0 } volumes ? [.. volumes.Select((volume, i) => Volume(volume, $"spec.volumes[{i}]", config))] : null;

    /// <summary>The mounts of a plugin; null where it has none.</summary>
    /// <exception cref="NedSpecException">A field is missing.</exception>
    public static IReadOnlyList<ManifestMount>? Mounts(NedPlugin plugin, NitroEnclaveDeploymentSpec spec) => plugin.Mounts.Count == 0 ? null :
    [
        .. plugin.Mounts.Select((mount, i) => new ManifestMount
        {
            Volume = mount?.Name ?? throw new NedSpecException($"{plugin.MountsPath}[{i}].name", "is required"),
            Path = mount.MountPath ?? throw new NedSpecException($"{plugin.MountsPath}[{i}].mountPath", "is required"),
            SubPath = mount.SubPath,
            ReadOnly = mount.ReadOnly == true || spec.Volumes?.FirstOrDefault(volume => volume?.Name == mount.Name)?.EmptyDir is null,
        }),
    ];

    private static ManifestVolume Volume(NedVolume? volume, string path, IConfigValues config)
    {
        var name = volume?.Name ?? throw new NedSpecException($"{path}.name", "is required");
        return volume switch
        {
            { ConfigMap: { } files } => new ManifestVolume { Name = name, Files = Files(files, $"{path}.configMap", config) },
            { Secret: { } secret } => new ManifestVolume { Name = name, Secret = Secret(secret, $"{path}.secret") },
            { EmptyDir: { } empty } => new ManifestVolume { Name = name, EmptyDir = new() { SizeBytes = Size(empty.SizeLimit, $"{path}.emptyDir.sizeLimit") } },
            _ => throw new NedSpecException(path, "must have one of configMap, secret and emptyDir"),
        };
    }

    private static ManifestFile[] Files(ConfigMapVolume volume, string path, IConfigValues config)
    {
        var configMap = volume.Name ?? throw new NedSpecException($"{path}.name", "is required");
        var mode = volume.DefaultMode ?? DefaultMode;
        var keys = config.KeysOf(configMap);
        if (keys is null && volume.Optional != true)
            throw new NedSpecException($"{path}.name", $"there is no ConfigMap {configMap} in the namespace");
        var files = volume.Items is { Count: > 0 } items
            ? items.Select((item, i) => File(
                config.Find(configMap, item?.Key ?? ""), item?.Path ?? throw new NedSpecException($"{path}.items[{i}].path", "is required"), item.Mode ?? mode,
                volume.Optional == true ? null : new NedSpecException($"{path}.items[{i}].key", $"there is no key {item.Key} in ConfigMap {configMap}")))
            : (keys ?? []).Select(key => File(config.Find(configMap, key), key, mode, problem: null));
        // Sorted: the set is what counts, and the digest should not depend on how it came about.
        return [.. files.OfType<ManifestFile>().OrderBy(file => file.Path, StringComparer.Ordinal)];
    }

    private static ManifestFile? File(ConfigValue? value, string path, int mode, NedSpecException? problem)
    {
        if (value is null)
            return problem is null ? null : throw problem;
        var content = value.Text is { } text ? Encoding.UTF8.GetBytes(text) : Convert.FromBase64String(value.Base64!);
        return new ManifestFile
        {
            Path = path,
            Mode = mode,
            Digest = Convert.ToHexStringLower(SHA384.HashData(content)),
            Text = value.Text,
            Base64 = value.Text is null ? Convert.ToBase64String(content) : null,
        };
    }

    private static ManifestSecretFiles Secret(SecretVolume volume, string path)
    {
        var mode = volume.DefaultMode ?? DefaultMode;
        return new ManifestSecretFiles
        {
            Name = volume.SecretName ?? throw new NedSpecException($"{path}.secretName", "is required"),
            Mode = mode,
            Optional = volume.Optional ?? false,
            Items = volume.Items is { Count: > 0 } items ? [.. items.Select((item, i) => new ManifestKeyFile
            {
                Key = item?.Key ?? throw new NedSpecException($"{path}.items[{i}].key", "is required"),
                Path = item.Path ?? throw new NedSpecException($"{path}.items[{i}].path", "is required"),
                Mode = item.Mode ?? mode,
            })] : null,
        };
    }

    private static long? Size(string? quantity, string path)
    {
        if (quantity is null)
            return null;
        return MemoryQuantity.TryParse(quantity, out var bytes, out var problem) ? bytes : throw new NedSpecException(path, problem);
    }
}
