using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Enclaves.Channel.Egress;
using Enclaves.Channel.Manifest;

namespace Enclaves.Orchestrator.Egress;

/// <summary>A destination and the address inside the enclave that stands for it.</summary>
/// <param name="Host">Host name or literal IP address, as the host is asked for it.</param>
/// <param name="Port">TCP port, inside and outside.</param>
/// <param name="Container">First container that declares it, or <see cref="EgressRequest.ImagePull"/>.</param>
/// <param name="Address">Where the enclave's processes find it.</param>
/// <param name="IsLiteral">The address is the destination's own and has to be added to the loopback interface.</param>
/// <param name="Type">One of <see cref="OutboundType"/> where nothing leads there yet, and who connects is to be told why.</param>
internal sealed record EgressDestination(string Host, int Port, string Container, IPAddress Address, bool IsLiteral, string? Type = null);

/// <summary>A destination that cannot be served.</summary>
internal sealed class EgressPlanException(string message) : Exception(message);

/// <summary>
/// Which addresses stand for the destinations that a manifest allows. Pure: a host name gets the next address of a block of 127.0.0.0/8,
/// the same one for all its ports; a literal address stands for itself.
/// </summary>
internal sealed class EgressPlan
{
    private readonly Dictionary<string, IPAddress> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<(string Host, int Port), EgressDestination> _destinations = [];
    private readonly uint _first;

    private EgressPlan(IPAddress first) =>
        _first = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(first.GetAddressBytes());

    /// <summary>Every destination once, in the manifest's order.</summary>
    public IReadOnlyCollection<EgressDestination> Destinations => _destinations.Values;

    /// <summary>Plans for a manifest.</summary>
    /// <param name="manifest">What is allowed.</param>
    /// <param name="first">First address of the block for host names.</param>
    /// <exception cref="EgressPlanException">Names the entry and what is wrong with it.</exception>
    public static EgressPlan Of(EnclaveManifest manifest, IPAddress first)
    {
        var plan = new EgressPlan(first);
        foreach (var container in manifest.Containers)
        {
            foreach (var outbound in container.Outbound)
                plan.Add(outbound.Host, outbound.Port, container.Name, outbound.Type);
        }

        foreach (var registry in manifest.Registries)
        {
            if (!RegistryAddress.TryParse(registry, out var address))
                throw new EgressPlanException($"registry '{registry}': write host or host:port");
            plan.Add(address.Host, address.Port, EgressRequest.ImagePull);
        }

        foreach (var container in manifest.Containers)
            plan.RequireFreePorts(container);
        return plan;
    }

    /// <summary>The whole content of /etc/hosts.</summary>
    public string HostsFile()
    {
        var text = new StringBuilder("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
        foreach (var (name, address) in _names)
            text.Append(CultureInfo.InvariantCulture, $"{address} {name}\n");
        return text.ToString();
    }

    private void Add(string host, int port, string container, string? type = null)
    {
        host = host.ToLowerInvariant();
        // All containers share the address: where one of them is to trust what is behind it only once it is attested, none gets there without.
        if (_destinations.TryGetValue((host, port), out var known))
        {
            _destinations[(host, port)] = known with { Type = known.Type ?? type };
            return;
        }

        var request = new EgressRequest(host, port, container);
        try
        {
            _ = request.Format();
        }
        catch (InvalidDataException e)
        {
            throw new EgressPlanException($"outbound of {container}: {e.Message}");
        }

        var literal = IPAddress.TryParse(host, out var address);
        if (literal && !IsUnicast(address!))
            throw new EgressPlanException($"outbound of {container}: {host} is not the address of another machine; remove it");
        _destinations.Add((host, port), new EgressDestination(host, port, container, literal ? address! : AddressOf(host), literal, type));
    }

    // A container that listens on all addresses, as most do, cannot have a port that a listener of ours has on one of them.
    private void RequireFreePorts(ManifestContainer container)
    {
        var ports = container.Ports.Select(port => port.ContainerPort);
        foreach (var port in container.ProxyPort is { } proxy ? ports.Append(proxy) : ports)
        {
            if (_destinations.Values.FirstOrDefault(destination => destination.Port == port) is { } taken)
                throw new EgressPlanException(string.Create(CultureInfo.InvariantCulture,
                    $"container {container.Name} cannot listen on port {port}: inside the enclave it leads to {taken.Host}; let the container listen on another port"));
        }
    }

    private IPAddress AddressOf(string name)
    {
        if (_names.TryGetValue(name, out var known))
            return known;
        var bytes = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, _first + (uint)_names.Count);
        return _names[name] = new IPAddress(bytes);
    }

    private static bool IsUnicast(IPAddress address)
    {
        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            return false;
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? !address.IsIPv6Multicast && !address.IsIPv6LinkLocal && !address.IsIPv4MappedToIPv6
            : address.GetAddressBytes()[0] is > 0 and < 224;
    }
}
