using System.Net.Sockets;
using Enclaves.Channel.Transport;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>The node's vsock ports as things that one process of the node can have at a time.</summary>
internal interface INodePorts
{
    /// <summary>Takes a port until the result is disposed or this process ends; null where another process has it.</summary>
    /// <exception cref="SocketException">There is no vsock here.</exception>
    IDisposable? TryTake(uint port);
}

/// <summary>
/// By binding them: that needs no volume that pods share, and the kernel gives them back with the process, however it ends. AF_VSOCK ports are the
/// machine's, whatever the network namespace (a kernel that divides them gives each pod all ports, and collisions back).
/// </summary>
internal sealed class VsockNodePorts : INodePorts
{
    public IDisposable? TryTake(uint port) => VsockReservation.TryTake(port);
}
