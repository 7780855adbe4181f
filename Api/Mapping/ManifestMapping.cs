using Enclaves.Channel.Manifest;

namespace Enclaves.Api;

/// <summary>
/// The manifest of a NitroEnclaveDeployment: a pure function of name, namespace, spec and the values of ConfigMaps that the spec refers to, in
/// which every default is resolved. Replicas, generation, uid and time have no part in it, so that a client can compute the digest from the YAML
/// it was shown.
/// </summary>
public static class ManifestMapping
{
    /// <summary>Maps an object to its manifest.</summary>
    /// <param name="ned">The object.</param>
    /// <param name="config">The contents of the ConfigMaps that the spec refers to.</param>
    /// <exception cref="NedSpecException">A field cannot be mapped; the message has its path.</exception>
    public static EnclaveManifest ToManifest(NitroEnclaveDeployment ned, IConfigValues config)
    {
        ArgumentNullException.ThrowIfNull(ned);
        ArgumentNullException.ThrowIfNull(config);
        var plugins = NedPlugin.Of(ned.Spec);
        if (plugins.Count == 0)
            throw new NedSpecException("spec.userPlugins", "is empty, at least one plugin is required");
        var nextIngress = ExposedPort.Of(ned.Spec).Select(port => (int?)port.IngressPort).GetEnumerator();
        return new EnclaveManifest
        {
            Schema = EnclaveManifest.CurrentSchema,
            Name = ned.Metadata.Name,
            Namespace = ned.Metadata.NamespaceProperty,
            Containers = [.. plugins.Select(plugin => Container(plugin, ned, config, nextIngress))],
            Registries = Registries(ned.Spec, plugins),
            Volumes = VolumeMapping.Volumes(ned.Spec, config),
        };
    }

    private static ManifestContainer Container(
        NedPlugin plugin, NitroEnclaveDeployment ned, IConfigValues config, IEnumerator<int?> nextIngress) => new()
    {
        Name = plugin.Name ?? throw new NedSpecException($"{plugin.Path}.name", "is required"),
        Role = plugin.Role,
        Image = plugin.Image ?? throw new NedSpecException($"{plugin.Path}.image", "is required"),
        Command = plugin.Container?.Command ?? [],
        Args = plugin.Container?.Args ?? [],
        Env = [.. (plugin.Container?.Env ?? []).Select((variable, i) => Variable(variable, $"{plugin.ContainerPath}.env[{i}]", ned, config)).OfType<ManifestEnv>()],
        Ports = [.. (plugin.Container?.Ports ?? []).Select(port => new ManifestPort
        {
            ContainerPort = port.ContainerPort,
            IngressPort = port.HostPort is null ? null : Next(nextIngress),
        })],
        Outbound = [.. (plugin.Container?.OutboundConnections ?? []).Select((outbound, i) => new ManifestOutbound
        {
            Host = outbound.Fqdn ?? throw new NedSpecException($"{plugin.ContainerPath}.outboundConnections[{i}].fqdn", "is required"),
            Port = outbound.Port,
            Type = outbound.Type == OutboundTypes.Default ? null : outbound.Type,
        })],
        RestartPolicy = (plugin.Container as UserPlugin)?.RestartPolicy ?? ned.Spec.RestartPolicy ?? RestartPolicies.Always,
        ProxyPort = plugin.Role != ContainerRole.Auth ? null : plugin.ProxyPort ?? throw new NedSpecException($"{plugin.Path}.proxyPort", "is required"),
        LogsAccess = plugin.LogsAccess is { Count: > 0 } access ? access : null,
        Mounts = VolumeMapping.Mounts(plugin, ned.Spec),
        Resources = ConfinementMapping.Resources(plugin),
        Security = ConfinementMapping.Security(plugin),
        StartupProbe = ProbeMapping.Of((plugin.Container as UserPlugin)?.StartupProbe, $"{plugin.ContainerPath}.startupProbe"),
        LivenessProbe = ProbeMapping.Of((plugin.Container as UserPlugin)?.LivenessProbe, $"{plugin.ContainerPath}.livenessProbe"),
        ReadinessProbe = ProbeMapping.Of((plugin.Container as UserPlugin)?.ReadinessProbe, $"{plugin.ContainerPath}.readinessProbe"),
    };

    // Null for an optional variable whose value does not exist, which is left out as a kubelet leaves it out.
    private static ManifestEnv? Variable(EnvVar? variable, string path, NitroEnclaveDeployment ned, IConfigValues config)
    {
        var name = variable?.Name ?? throw new NedSpecException($"{path}.name", "is required");
        if (variable.ValueFrom?.FieldRef is { } field)
            return new ManifestEnv { Name = name, Value = Field(field.FieldPath, path, ned) };
        if (variable.ValueFrom?.SecretKeyRef is { } secret)
            return new ManifestEnv { Name = name, Secret = new() { Name = secret.Name ?? "", Key = secret.Key ?? "", Optional = secret.Optional ?? false } };
        if (variable.ValueFrom?.ConfigMapKeyRef is not { } reference)
            return new ManifestEnv { Name = name, Value = variable.Value ?? "" };
        // A variable holds text: what is in binaryData is none.
        if (config.Find(reference.Name ?? "", reference.Key ?? "")?.Text is { } value)
            return new ManifestEnv { Name = name, Value = value };
        return reference.Optional == true
            ? null
            : throw new NedSpecException($"{path}.valueFrom.configMapKeyRef", $"there is no key {reference.Key} in a ConfigMap {reference.Name} of the namespace");
    }

    private static string Field(string? fieldPath, string path, NitroEnclaveDeployment ned) => fieldPath switch
    {
        NedFieldPaths.Name => ned.Metadata.Name,
        NedFieldPaths.Namespace => ned.Metadata.NamespaceProperty,
        _ => throw new NedSpecException($"{path}.valueFrom.fieldRef.fieldPath", $"'{fieldPath}' is not allowed, allowed are {NedFieldPaths.Name} and {NedFieldPaths.Namespace}"),
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
