using Enclaves.Channel.Manifest;

namespace Enclaves.Api;

/// <summary>
/// The manifest of a NitroEnclaveDeployment: a pure function of name, namespace and spec, in which every default is resolved.
/// Replicas, generation, uid and time have no part in it, so that a client can compute the digest from the YAML it was shown.
/// </summary>
public static class ManifestMapping
{
    /// <summary>Maps an object to its manifest.</summary>
    /// <exception cref="NedSpecException">A field cannot be mapped; the message has its path.</exception>
    public static EnclaveManifest ToManifest(NitroEnclaveDeployment ned)
    {
        ArgumentNullException.ThrowIfNull(ned);
        var plugins = NedPlugin.Of(ned.Spec);
        if (plugins.Count == 0)
            throw new NedSpecException("spec.userPlugins", "is empty, at least one plugin is required");
        var nextIngress = ExposedPort.Of(ned.Spec).Select(port => (int?)port.IngressPort).GetEnumerator();
        return new EnclaveManifest
        {
            Schema = EnclaveManifest.CurrentSchema,
            Name = ned.Metadata.Name,
            Namespace = ned.Metadata.NamespaceProperty,
            Containers = [.. plugins.Select(plugin => Container(plugin, ned.Spec.RestartPolicy, nextIngress))],
            Registries = Registries(ned.Spec, plugins),
        };
    }

    private static ManifestContainer Container(NedPlugin plugin, string? commonPolicy, IEnumerator<int?> nextIngress) => new()
    {
        Name = plugin.Name ?? throw new NedSpecException($"{plugin.Path}.name", "is required"),
        Role = plugin.Role,
        Image = plugin.Image ?? throw new NedSpecException($"{plugin.Path}.image", "is required"),
        Command = plugin.Container?.Command ?? [],
        Args = plugin.Container?.Args ?? [],
        Env = [.. (plugin.Container?.Env ?? []).Select(variable => new ManifestEnv { Name = variable.Name ?? "", Value = variable.Value ?? "" })],
        Ports = [.. (plugin.Container?.Ports ?? []).Select(port => new ManifestPort
        {
            ContainerPort = port.ContainerPort,
            IngressPort = port.HostPort is null ? null : Next(nextIngress),
        })],
        Outbound = [.. (plugin.Container?.OutboundConnections ?? []).Select((outbound, i) => new ManifestOutbound
        {
            Host = outbound.Fqdn ?? throw new NedSpecException($"{plugin.ContainerPath}.outboundConnections[{i}].fqdn", "is required"),
            Port = outbound.Port,
        })],
        RestartPolicy = (plugin.Container as UserPlugin)?.RestartPolicy ?? commonPolicy ?? RestartPolicies.Always,
    };

    private static int? Next(IEnumerator<int?> ports) => ports.MoveNext() ? ports.Current : null;

    // Sorted: the set is what counts, and the digest should not depend on how it came about.
    private static IReadOnlyList<string> Registries(NitroEnclaveDeploymentSpec spec, IReadOnlyList<NedPlugin> plugins)
    {
        var hosts = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var plugin in plugins)
        {
            if (!ImageReference.TryParse(plugin.Image, out var image, out var problem))
                throw new NedSpecException($"{plugin.Path}.image", problem);
            hosts.Add(image.PullHost.ToLowerInvariant());
        }

        foreach (var registry in spec.Enclave?.Registries ?? [])
            hosts.Add(registry.ToLowerInvariant());
        return [.. hosts];
    }
}
