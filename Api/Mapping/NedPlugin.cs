using Enclaves.Channel.Manifest;

namespace Enclaves.Api;

/// <summary>A plugin of either list, as what both have in common.</summary>
/// <param name="Path">Path in the object, such as spec.userPlugins[0].</param>
/// <param name="ContainerPath">Path of the fields of <paramref name="Container"/>.</param>
/// <param name="Role">What it is for, as the manifest says it.</param>
/// <param name="Name">Name of the container.</param>
/// <param name="Image">Its image.</param>
/// <param name="ImagePullSecret">Secret for the pull, or null.</param>
/// <param name="Container">How it runs; null where a privileged plugin has no spec.</param>
/// <param name="Mounts">Its mounts.</param>
/// <param name="MountsPath">Path of the list of mounts.</param>
public sealed record NedPlugin(
    string Path, string ContainerPath, string Role, string? Name, string? Image, string? ImagePullSecret, PluginContainer? Container, IReadOnlyList<PluginMount> Mounts, string MountsPath)
{
    /// <summary>Port of an auth plugin to which inbound traffic goes first; null for any other plugin.</summary>
    public int? ProxyPort { get; private init; }

    /// <summary>Names of the plugins whose logs a logging plugin is given; null for any other plugin.</summary>
    public IReadOnlyList<string>? LogsAccess => Role == ContainerRole.Logging ? (Container as PrivilegedPluginSpec)?.LogsAccess : null;

    /// <summary>All plugins of a spec in the order in which they start: privileged ones first. Items that are null are left out.</summary>
    public static IReadOnlyList<NedPlugin> Of(NitroEnclaveDeploymentSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var plugins = new List<NedPlugin>();
        for (var i = 0; i < (spec.PrivilegedPlugins?.Count ?? 0); i++)
        {
            var path = $"spec.privilegedPlugins[{i}]";
            if (spec.PrivilegedPlugins![i] is { } plugin)
                plugins.Add(new(path, $"{path}.spec", plugin.Kind ?? "", plugin.Name, plugin.Image, plugin.ImagePullSecret, plugin.Spec, plugin.Spec?.Volumes ?? [], $"{path}.spec.volumes") { ProxyPort = plugin.Kind == PrivilegedKinds.Auth ? plugin.ProxyPort : null });
        }

        for (var i = 0; i < (spec.UserPlugins?.Count ?? 0); i++)
        {
            var path = $"spec.userPlugins[{i}]";
            if (spec.UserPlugins![i] is { } plugin)
                plugins.Add(new(path, path, ContainerRole.User, plugin.Name, plugin.Image, plugin.ImagePullSecret, plugin, plugin.VolumeMounts ?? [], $"{path}.volumeMounts"));
        }

        return plugins;
    }
}
