namespace Enclaves.Api;

/// <summary>A value of a ConfigMap of the NitroEnclaveDeployment's namespace that is part of its manifest.</summary>
/// <param name="Path">Path of the reference, such as spec.userPlugins[0].env[1].valueFrom.configMapKeyRef.</param>
/// <param name="ConfigMap">Name of the ConfigMap.</param>
/// <param name="Key">Key in its data; binaryData has no text that a variable could hold.</param>
/// <param name="Optional">Whether it may be missing.</param>
public sealed record ConfigReference(string Path, string ConfigMap, string Key, bool Optional)
{
    /// <summary>The references of a spec, in its order. What lacks a name or key is left out: admission refuses it.</summary>
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
        ];
    }
}
