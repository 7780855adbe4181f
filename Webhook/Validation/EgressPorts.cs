using System.Globalization;
using Enclaves.Api;
using Enclaves.Channel.Egress;
using FluentValidation;
using FluentValidation.Results;

namespace Enclaves.Webhook.Validation;

/// <summary>
/// Ports on which a container cannot listen: those of its destinations. Inside the enclave a listener stands for each destination at the
/// same port, in the one network that all containers share.
/// </summary>
internal static class EgressPorts
{
    /// <summary>Adds a failure at the path of every containerPort, and of a proxyPort, that is a destination's port as well.</summary>
    public static void RequireFree(NitroEnclaveDeploymentSpec spec, IReadOnlyList<NedPlugin> plugins, ValidationContext<NitroEnclaveDeployment> context)
    {
        var taken = new Dictionary<int, Destination>();
        foreach (var destination in Destinations(spec, plugins))
            taken.TryAdd(destination.Port, destination);
        foreach (var (path, port) in plugins.SelectMany(Listened))
        {
            if (taken.TryGetValue(port, out var destination))
            {
                context.AddFailure(new ValidationFailure(path, string.Create(
                    CultureInfo.InvariantCulture, $"inside the enclave port {port} leads to {destination}; allowed is any other, on which the container then listens")) { ErrorCode = "EgressPorts" });
            }
        }
    }

    private static IEnumerable<(string Path, int Port)> Listened(NedPlugin plugin)
    {
        var ports = plugin.Container?.Ports ?? [];
        for (var i = 0; i < ports.Count; i++)
        {
            if (ports[i] is { } port)
                yield return ($"{plugin.ContainerPath}.ports[{i}].containerPort", port.ContainerPort);
        }

        if (plugin.ProxyPort is { } proxy && !ports.Any(port => port?.ContainerPort == proxy))
            yield return ($"{plugin.Path}.proxyPort", proxy);
    }

    private static IEnumerable<Destination> Destinations(NitroEnclaveDeploymentSpec spec, IReadOnlyList<NedPlugin> plugins)
    {
        foreach (var plugin in plugins)
        {
            for (var i = 0; i < (plugin.Container?.OutboundConnections?.Count ?? 0); i++)
            {
                if (plugin.Container!.OutboundConnections![i] is { } connection)
                    yield return new(connection.Port, connection.Fqdn, "an outbound connection of", plugin.Name);
            }

            if (ImageReference.TryParse(plugin.Image, out var image, out _) && RegistryAddress.TryParse(image.PullHost, out var registry))
                yield return new(registry.Port, registry.Host, "the registry of", plugin.Name);
        }

        foreach (var text in spec.Enclave?.Registries ?? [])
        {
            if (text is not null && RegistryAddress.TryParse(text, out var registry))
                yield return new(registry.Port, registry.Host, "one of", "spec.enclave.registries");
        }
    }

    private readonly record struct Destination(int Port, string? Host, string Why, string? Whose)
    {
        public override string ToString() => $"{Host}, {Why} {Whose}";
    }
}
