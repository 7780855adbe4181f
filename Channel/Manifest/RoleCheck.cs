namespace Enclaves.Channel.Manifest;

/// <summary>What a container may have for its role alone.</summary>
internal static class RoleCheck
{
    /// <summary>Path below the manifest and problem of the first container that has what is another role's, or lacks what is its own's; null where there is none.</summary>
    public static string? Of(EnclaveManifest manifest)
    {
        var names = manifest.Containers.Select(container => container.Name).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < manifest.Containers.Count; i++)
        {
            var container = manifest.Containers[i];
            if (container.Role == ContainerRole.Auth != container.ProxyPort is not null)
                return $"containers[{i}].proxyPort: is required of role {ContainerRole.Auth}, and of no other";
            if (container.ProxyPort is { } port && !ManifestCheck.IsPort(port))
                return $"containers[{i}].proxyPort: must be 1 to 65535";
            if (container.LogsAccess is not { } access)
                continue;
            if (container.Role != ContainerRole.Logging || access.Count > ManifestLimits.MaxContainers)
                return $"containers[{i}].logsAccess: is for role {ContainerRole.Logging}, with {ManifestLimits.MaxContainers} names at most";
            if (!access.All(name => name is not null && names.Contains(name)))
                return $"containers[{i}].logsAccess: names what is no container of the manifest";
        }

        return manifest.Containers.Count(container => container.Role == ContainerRole.Auth) > 1 ? $"containers: has more than one of role {ContainerRole.Auth}" : null;
    }
}
