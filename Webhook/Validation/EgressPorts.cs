using System.Globalization;
using Enclaves.Api;
using Enclaves.Channel.Egress;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>
/// Ports on which a container cannot listen: those of its destinations. Inside the enclave a listener stands for each destination at the
/// same port, in the one network that all containers share.
/// </summary>
internal static class EgressPorts
{
    /// <summary>Adds a failure at the path of every containerPort that is a destination's port as well.</summary>
    public static void RequireFree(NitroEnclaveDeploymentSpec spec, ValidationContext<NitroEnclaveDeploymentSpec> context)
    {
        var taken = new Dictionary<int, string>();
        foreach (var (port, destination) in Destinations(spec))
            taken.TryAdd(port, destination);
        var plugins = spec.UserPlugins ?? [];
        for (var i = 0; i < plugins.Count; i++)
        {
            var ports = plugins[i]?.Ports ?? [];
            for (var j = 0; j < ports.Count; j++)
            {
                if (ports[j] is { } port && taken.TryGetValue(port.ContainerPort, out var destination))
                {
                    context.AddFailure(string.Create(CultureInfo.InvariantCulture, $"UserPlugins[{i}].Ports[{j}].ContainerPort"), string.Create(
                        CultureInfo.InvariantCulture, $"inside the enclave port {port.ContainerPort} leads to {destination}; allowed is any other, on which the container then listens"));
                }
            }
        }
    }

    private static IEnumerable<(int Port, string Destination)> Destinations(NitroEnclaveDeploymentSpec spec)
    {
        foreach (var plugin in (spec.UserPlugins ?? []).OfType<UserPlugin>())
        {
            foreach (var connection in (plugin.OutboundConnections ?? []).OfType<OutboundConnection>())
                yield return (connection.Port, $"{connection.Fqdn}, an outbound connection of {plugin.Name}");
            if (ImageReference.TryParse(plugin.Image, out var image, out _) && RegistryAddress.TryParse(image.PullHost, out var registry))
                yield return (registry.Port, $"{registry.Host}, from which the image of {plugin.Name} is pulled");
        }

        foreach (var text in spec.Enclave?.Registries ?? [])
        {
            if (text is not null && RegistryAddress.TryParse(text, out var registry))
                yield return (registry.Port, $"{registry.Host}, one of spec.enclave.registries");
        }
    }
}
