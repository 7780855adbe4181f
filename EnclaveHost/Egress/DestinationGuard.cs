using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Enclaves.EnclaveHost.Egress;

/// <summary>
/// Keeps an enclave away from what only the node may reach, whatever a name resolves to: loopback, link-local with the cloud's metadata
/// service, multicast, the pod's own addresses and the node's.
/// </summary>
/// <param name="allowed">Networks that are reachable all the same.</param>
/// <param name="own">Addresses of the node.</param>
/// <param name="local">Addresses of this machine's or pod's interfaces and gateways, asked anew each time since interfaces come and go.</param>
internal sealed class DestinationGuard(IReadOnlyList<IPNetwork> allowed, IReadOnlyList<IPNetwork> own, Func<IEnumerable<IPAddress>> local)
{
    private static readonly (IPNetwork Network, string What)[] Closed =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "an address of this host"),
        (IPNetwork.Parse("127.0.0.0/8"), "a loopback address"),
        (IPNetwork.Parse("169.254.0.0/16"), "link-local, where the metadata service is"),
        (IPNetwork.Parse("224.0.0.0/3"), "not an address of one host"),
        (IPNetwork.Parse("::/127"), "a loopback address"),
        (IPNetwork.Parse("fe80::/10"), "link-local"),
        (IPNetwork.Parse("ff00::/8"), "not an address of one host"),
        // Not link-local but unique local: metadata, credentials of pods, time.
        (IPNetwork.Parse("fd00:ec2::/32"), "the cloud's, where the metadata service is"),
    ];

    /// <summary>Addresses of all interfaces, and of the gateways behind them: a pod's gateway is its node.</summary>
    public static IEnumerable<IPAddress> InterfaceAddresses() =>
        NetworkInterface.GetAllNetworkInterfaces().Select(i => i.GetIPProperties()).SelectMany(properties =>
            properties.UnicastAddresses.Select(a => a.Address).Concat(properties.GatewayAddresses.Select(a => a.Address)));

    /// <summary>Null when the address may be connected to, else why not.</summary>
    public string? WhyNot(IPAddress address)
    {
        // ::ffff:127.0.0.1 is loopback too.
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (allowed.Any(network => Contains(network, plain)))
            return null;
        foreach (var (network, what) in Closed)
        {
            if (Contains(network, plain))
                return $"{plain} is {what}";
        }

        if (own.Any(network => Contains(network, plain)))
            return $"{plain} is an address of the node";
        return local().Any(a => SameAddress(a, plain)) ? $"{plain} is an address of this pod or its gateway" : null;
    }

    private static bool Contains(IPNetwork network, IPAddress address) =>
        network.BaseAddress.AddressFamily == address.AddressFamily && network.Contains(address);

    // An interface's IPv6 address carries its scope, a resolved one does not.
    private static bool SameAddress(IPAddress a, IPAddress b) =>
        a.AddressFamily == b.AddressFamily && a.GetAddressBytes().AsSpan().SequenceEqual(b.GetAddressBytes());
}
