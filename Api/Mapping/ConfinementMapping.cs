using Enclaves.Channel.Manifest;

namespace Enclaves.Api;

/// <summary>Limits and privileges of a plugin as the manifest has them. What says nothing is left out.</summary>
internal static class ConfinementMapping
{
    /// <summary>The limits; null where there are none.</summary>
    /// <exception cref="NedSpecException">A quantity is none.</exception>
    public static ManifestResources? Resources(NedPlugin plugin)
    {
        var limits = plugin.Container?.Resources?.Limits;
        return limits is { Cpu: not null } or { Memory: not null } ? new ManifestResources
        {
            CpuMillis = Cpu(limits.Cpu, $"{plugin.ContainerPath}.resources.limits.cpu"),
            MemoryBytes = Memory(limits.Memory, $"{plugin.ContainerPath}.resources.limits.memory"),
        } : null;
    }

    /// <summary>The privileges; null where they are as for every container.</summary>
    public static ManifestSecurity? Security(NedPlugin plugin)
    {
        if (plugin.Container?.SecurityContext is not { } context)
            return null;
        var security = new ManifestSecurity
        {
            RunAsUser = context.RunAsUser,
            RunAsGroup = context.RunAsGroup,
            ReadOnlyRootFilesystem = context.ReadOnlyRootFilesystem ?? false,
            AddCapabilities = context.Capabilities?.Add is { Count: > 0 } add ? add : null,
            DropCapabilities = context.Capabilities?.Drop is { Count: > 0 } drop ? drop : null,
        };
        return security == new ManifestSecurity() ? null : security;
    }

    private static long? Cpu(string? quantity, string path)
    {
        if (quantity is null)
            return null;
        return CpuQuantity.TryParse(quantity, out var millis, out var problem) ? millis : throw new NedSpecException(path, problem);
    }

    private static long? Memory(string? quantity, string path)
    {
        if (quantity is null)
            return null;
        return MemoryQuantity.TryParse(quantity, out var bytes, out var problem) ? bytes : throw new NedSpecException(path, problem);
    }
}
