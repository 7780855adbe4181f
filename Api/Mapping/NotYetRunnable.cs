namespace Enclaves.Api;

/// <summary>
/// Fields of the API that this version's enclaves do not have yet. A NED that uses them is valid and is told so; it is not run without them,
/// since what a spec asks for must never be left out in silence.
/// </summary>
public static class NotYetRunnable
{
    /// <summary>Paths of the fields that a spec uses, in its order; empty when all of it can be run.</summary>
    public static IReadOnlyList<string> Of(NitroEnclaveDeploymentSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var paths = new List<string>();
        void Add(bool used, string path)
        {
            if (used)
                paths.Add(path);
        }

        Add(spec.Enclave?.Image is not null, "spec.enclave.image");
        Add(spec.PrivilegedPlugins is { Count: > 0 }, "spec.privilegedPlugins");
        Add(spec.Volumes is { Count: > 0 }, "spec.volumes");
        Add(spec.Logging?.Backend == LoggingBackends.Otlp, "spec.logging.backend");
        Add(spec.Logging?.Level is not null, "spec.logging.level");
        for (var i = 0; i < (spec.UserPlugins?.Count ?? 0); i++)
        {
            if (spec.UserPlugins![i] is { } plugin)
                AddPlugin(plugin, $"spec.userPlugins[{i}]", Add);
        }

        return paths;
    }

    private static void AddPlugin(UserPlugin plugin, string path, Action<bool, string> add)
    {
        for (var i = 0; i < (plugin.Env?.Count ?? 0); i++)
            add(plugin.Env![i]?.ValueFrom is not null, $"{path}.env[{i}].valueFrom");
        add(plugin.VolumeMounts is { Count: > 0 }, $"{path}.volumeMounts");
        add(plugin.Resources is not null, $"{path}.resources");
        add(plugin.SecurityContext is not null, $"{path}.securityContext");
        add(plugin.LivenessProbe is not null, $"{path}.livenessProbe");
        add(plugin.ReadinessProbe is not null, $"{path}.readinessProbe");
        add(plugin.StartupProbe is not null, $"{path}.startupProbe");
        for (var i = 0; i < (plugin.OutboundConnections?.Count ?? 0); i++)
            add(plugin.OutboundConnections![i]?.Type is not (null or OutboundTypes.Default), $"{path}.outboundConnections[{i}].type");
    }
}
