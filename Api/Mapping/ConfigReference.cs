namespace Enclaves.Api;

/// <summary>A value of a ConfigMap of the NitroEnclaveDeployment's namespace, or all of its values, that are part of its manifest.</summary>
/// <param name="Path">Path of the reference, such as spec.userPlugins[0].env[1].valueFrom.configMapKeyRef.</param>
/// <param name="ConfigMap">Name of the ConfigMap.</param>
/// <param name="Key">Key in it; null for all of them.</param>
/// <param name="Optional">Whether it may be missing.</param>
/// <param name="IsText">Whether it must be text, out of its data: a variable cannot hold what is in binaryData.</param>
public sealed record ConfigReference(string Path, string ConfigMap, string? Key, bool Optional, bool IsText = true)
{
    /// <summary>The references of a spec, in its order, variables first. What lacks a name or key is left out: admission refuses it.</summary>
    public static IReadOnlyList<ConfigReference> Of(NitroEnclaveDeploymentSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return
        [
            .. NedPlugin.Of(spec).SelectMany(plugin => (plugin.Container?.Env ?? [])
                .Select((variable, i) => variable?.ValueFrom?.ConfigMapKeyRef is { Name: { Length: > 0 } name, Key: { Length: > 0 } key } reference
                    ? new ConfigReference($"{plugin.ContainerPath}.env[{i}].valueFrom.configMapKeyRef", name, key, reference.Optional ?? false)
                    : null)
                .OfType<ConfigReference>()),
            .. (spec.Volumes ?? []).SelectMany((volume, i) => OfVolume(volume?.ConfigMap, $"spec.volumes[{i}].configMap")),
        ];
    }

    private static IEnumerable<ConfigReference> OfVolume(ConfigMapVolume? volume, string path)
    {
        if (volume is not { Name: { Length: > 0 } name })
            return [];
        var optional = volume.Optional ?? false;
        return volume.Items is { Count: > 0 } items
            ? items.Select((item, i) => item is { Key: { Length: > 0 } key } ? new ConfigReference($"{path}.items[{i}].key", name, key, optional, IsText: false) : null)
                .OfType<ConfigReference>()
            : [new ConfigReference($"{path}.name", name, null, optional, IsText: false)];
    }
}
