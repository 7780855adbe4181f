using System.Security.Cryptography;
using Enclaves.Channel;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>
/// A CID for the enclaves of this process. It must be known before the boot, since the host's ports follow from it and listen before there is an
/// enclave; nitro-cli would only choose one at the boot.
/// </summary>
/// <remarks>
/// Chosen at random, and far above those that nitro-cli chooses by itself (16 and up), so that neither enclaves of others nor the EnclaveHosts of
/// a node come into each other's way; where two choose the same all the same, the second finds the claim taken and takes another.
/// </remarks>
internal sealed class CidClaim : IDisposable
{
    internal const int First = 0x1_0000;
    internal const int Last = 0xFF_FFFF;
    private const int Tries = 64;

    private readonly IDisposable _port;

    private CidClaim(uint cid, IDisposable port)
    {
        Cid = cid;
        _port = port;
    }

    public uint Cid { get; }

    /// <exception cref="System.Net.Sockets.SocketException">There is no vsock here.</exception>
    /// <exception cref="IOException">All that were tried are taken.</exception>
    public static CidClaim Take(INodePorts ports) => Take(ports, () => (uint)RandomNumberGenerator.GetInt32(First, Last + 1));

    internal static CidClaim Take(INodePorts ports, Func<uint> choose)
    {
        for (var i = 0; i < Tries; i++)
        {
            var cid = choose();
            if (ports.TryTake(EnclavePorts.Claim(cid)) is { } port)
                return new CidClaim(cid, port);
        }

        throw new IOException($"{Tries} vsock ports for the claim of a CID were all taken; something on the node binds them");
    }

    public void Dispose() => _port.Dispose();
}
