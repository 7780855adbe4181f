using Enclaves.Api;
using FluentValidation;
using FluentValidation.Results;

namespace Enclaves.Webhook.Validation;

/// <summary>What must hold between plugins, over both lists.</summary>
internal static class PluginListRules
{
    private const string Scope = "in the NitroEnclaveDeployment";
    private const string OneService = Scope + ", which has one Service";

    /// <summary>Checks all of it.</summary>
    public static void Check(NitroEnclaveDeploymentSpec spec, ValidationContext<NitroEnclaveDeployment> context)
    {
        var plugins = NedPlugin.Of(spec);
        if ((spec.UserPlugins?.Count ?? 0) + (spec.PrivilegedPlugins?.Count ?? 0) == 0)
            Fail(context, "spec.userPlugins", "is empty, at least one plugin is required over userPlugins and privilegedPlugins");
        RequireUnique(spec, plugins, context);
        RequireVolumes(spec, plugins, context);
        RequireRoom(spec, plugins, context);
        RequireKnownLogs(spec, plugins, context);
        EgressPorts.RequireFree(spec, plugins, context);
    }

    private static void RequireUnique(NitroEnclaveDeploymentSpec spec, IReadOnlyList<NedPlugin> plugins, ValidationContext<NitroEnclaveDeployment> context)
    {
        context.Unique(plugins, plugin => plugin.Name, (plugin, _) => $"{plugin.Path}.name", Scope);
        context.Unique(
            spec.PrivilegedPlugins ?? [], plugin => plugin?.Kind, (_, i) => $"spec.privilegedPlugins[{i}].kind", Scope + ", which has one plugin of a kind at most");
        context.Unique(spec.Volumes ?? [], volume => volume?.Name, (_, i) => $"spec.volumes[{i}].name", Scope);
        foreach (var plugin in plugins)
            context.Unique(plugin.Mounts, mount => mount?.MountPath, (_, i) => $"{plugin.MountsPath}[{i}].mountPath", "in the plugin");
        RequireUniquePorts(plugins, context);
    }

    private static void RequireUniquePorts(IReadOnlyList<NedPlugin> plugins, ValidationContext<NitroEnclaveDeployment> context)
    {
        var ports = new List<(NedPlugin Plugin, int Index, PluginPort Port)>();
        foreach (var plugin in plugins)
        {
            for (var i = 0; i < (plugin.Container?.Ports?.Count ?? 0); i++)
                ports.Add((plugin, i, plugin.Container!.Ports![i]));
        }

        static string Path((NedPlugin Plugin, int Index, PluginPort) port) => $"{port.Plugin.ContainerPath}.ports[{port.Index}]";
        context.Unique(ports, port => port.Port?.ContainerPort, (port, _) => $"{Path(port)}.containerPort", Scope + ", whose containers share one network");
        foreach (var plugin in plugins.Where(plugin => plugin.ProxyPort is not null))
        {
            if (ports.FirstOrDefault(port => port.Plugin != plugin && port.Port?.ContainerPort == plugin.ProxyPort) is { Port: not null } taken)
                context.AddFailure(new ValidationFailure($"{plugin.Path}.proxyPort", $"'{plugin.ProxyPort}' is already used by {Path(taken)}.containerPort; it must be unique {Scope}, whose containers share one network") { ErrorCode = "Uniqueness" });
        }

        context.Unique(ports, port => port.Port?.HostPort, (port, _) => $"{Path(port)}.hostPort", OneService);
        // Ports of one number have one name by default as well: that error is said above.
        var exposed = ports.Where(port => port.Port?.HostPort is not null).DistinctBy(port => port.Port.HostPort).ToList();
        context.Unique(exposed, port => ExposedPort.ServicePortName(port.Port), (port, _) => $"{Path(port)}.name", OneService);
    }

    private static void RequireVolumes(NitroEnclaveDeploymentSpec spec, IReadOnlyList<NedPlugin> plugins, ValidationContext<NitroEnclaveDeployment> context)
    {
        if (plugins.All(plugin => plugin.Mounts.Count == 0))
            return;
        var names = (spec.Volumes ?? []).Select(volume => volume?.Name).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var plugin in plugins)
        {
            for (var i = 0; i < plugin.Mounts.Count; i++)
            {
                if (plugin.Mounts[i]?.Name is { } name && !names.Contains(name))
                    Fail(context, $"{plugin.MountsPath}[{i}].name", $"'{name}' is not a volume of spec.volumes; allowed are {Listed(names)}");
            }
        }
    }

    // The platform's own processes take some of both as well, how much depends on the image: only what can never fit is refused.
    private static void RequireRoom(NitroEnclaveDeploymentSpec spec, IReadOnlyList<NedPlugin> plugins, ValidationContext<NitroEnclaveDeployment> context)
    {
        var (cpu, memory) = (0m, 0m);
        foreach (var limits in plugins.Select(plugin => plugin.Container?.Resources?.Limits).OfType<PluginLimits>())
        {
            cpu += CpuQuantity.TryParse(limits.Cpu, out var millis, out _) ? millis : 0;
            memory += MemoryQuantity.TryParse(limits.Memory, out var bytes, out _) ? bytes : 0;
        }

        var cpus = spec.Enclave?.CpuCount ?? NedDefaults.CpuCount;
        if (cpu > cpus * 1000m)
            Fail(context, "spec.enclave.cpuCount", $"{cpus} CPUs are less than the plugins' resources.limits.cpu together, which are {cpu / 1000m:0.###}; allowed is at least that");
        var size = spec.Enclave?.Memory ?? NedDefaults.Memory;
        if (memory > 0 && MemoryQuantity.TryParse(size, out var has, out _) && memory > has)
            Fail(context, "spec.enclave.memory", $"'{size}' is less than the plugins' resources.limits.memory together, which are {memory:0} bytes; allowed is more than that");
    }

    private static void RequireKnownLogs(NitroEnclaveDeploymentSpec spec, IReadOnlyList<NedPlugin> plugins, ValidationContext<NitroEnclaveDeployment> context)
    {
        if (spec.PrivilegedPlugins is not { Count: > 0 })
            return;
        var names = plugins.Select(plugin => plugin.Name).OfType<string>().ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < (spec.PrivilegedPlugins?.Count ?? 0); i++)
        {
            var access = spec.PrivilegedPlugins![i]?.Spec?.LogsAccess ?? [];
            for (var j = 0; j < access.Count; j++)
            {
                if (access[j] is not { } name || !names.Contains(name))
                    Fail(context, $"spec.privilegedPlugins[{i}].spec.logsAccess[{j}]", $"'{access[j]}' is not a plugin; allowed are {Listed(names)}");
            }
        }
    }

    private static string Listed(HashSet<string> names) => names.Count == 0 ? "none, since there are none" : string.Join(", ", names.Order(StringComparer.Ordinal).Take(20));

    private static void Fail(ValidationContext<NitroEnclaveDeployment> context, string path, string problem) =>
        context.AddFailure(new ValidationFailure(path, problem) { ErrorCode = "PluginList" });
}
