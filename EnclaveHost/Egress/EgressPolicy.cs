using System.Globalization;
using Enclaves.Channel.Egress;
using Enclaves.Channel.Manifest;

namespace Enclaves.EnclaveHost.Egress;

/// <summary>What the manifest lets each container connect to. A pure function of the manifest: nothing an enclave says widens it.</summary>
internal sealed class EgressPolicy
{
    private readonly Dictionary<string, HashSet<(string Host, int Port)>> _allowed = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Host, int Port), string> _unattested = [];

    public EgressPolicy(EnclaveManifest manifest)
    {
        foreach (var container in manifest.Containers)
        {
            _allowed[container.Name] = [.. container.Outbound.Where(o => o.Type is null).Select(o => (Normal(o.Host), o.Port))];
            foreach (var outbound in container.Outbound.Where(o => o.Type is not null))
                _unattested[(Normal(outbound.Host), outbound.Port)] = outbound.Type!;
        }

        var pulls = _allowed[EgressRequest.ImagePull] = [];
        foreach (var registry in manifest.Registries)
        {
            // What cannot be read has been refused with the manifest.
            if (RegistryAddress.TryParse(registry, out var address))
                pulls.Add((address.Host, address.Port));
        }
    }

    /// <summary>Null when the request is allowed, else why not and what to do.</summary>
    public string? WhyNot(EgressRequest request)
    {
        if (!_allowed.TryGetValue(request.Container, out var destinations))
            return $"'{request.Container}' is not a container of the manifest";
        var destination = (Normal(request.Host), request.Port);
        if (destinations.Contains(destination))
            return null;
        if (_unattested.TryGetValue(destination, out var type))
            return OutboundType.WhyRefused(request.Host, request.Port, type);
        var list = request.Container == EgressRequest.ImagePull ? "spec.enclave.registries" : $"outboundConnections of plugin '{request.Container}'";
        return string.Create(CultureInfo.InvariantCulture, $"{request.Host}:{request.Port} is not among the destinations of '{request.Container}'; add it to {list}");
    }

    private static string Normal(string host) => host.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
}
