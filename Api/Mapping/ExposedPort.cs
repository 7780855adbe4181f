using System.Globalization;
using Enclaves.Channel;

namespace Enclaves.Api;

/// <summary>A plugin's port that is exposed: the way from the Service's port to the container's.</summary>
/// <param name="Name">Name of the Service's port.</param>
/// <param name="HostPort">The Service's port.</param>
/// <param name="ContainerPort">The container's port inside the enclave.</param>
/// <param name="IngressPort">Port of the ingress relay in the pod, the Service's targetPort: 20000 + index.</param>
public sealed record ExposedPort(string Name, int HostPort, int ContainerPort, int IngressPort)
{
    /// <summary>The exposed ports of a spec, in order; a port is exposed where it has a hostPort.</summary>
    public static IReadOnlyList<ExposedPort> Of(NitroEnclaveDeploymentSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return [.. NedPlugin.Of(spec)
            .SelectMany(plugin => plugin.Container?.Ports ?? [])
            .Where(port => port?.HostPort is not null)
            .Select((port, index) => new ExposedPort(ServicePortName(port), port.HostPort!.Value, port.ContainerPort, EnclavePorts.IngressBase + index))];
    }

    /// <summary>Name of the Service's port: the one given, else port-N.</summary>
    public static string ServicePortName(PluginPort port)
    {
        ArgumentNullException.ThrowIfNull(port);
        return port.Name ?? string.Create(CultureInfo.InvariantCulture, $"port-{port.HostPort}");
    }
}
