using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Enclaves.Channel.Transport;

/// <summary>
/// An address of AF_VSOCK, in the layout of the kernel's <c>sockaddr_vm</c> (linux/vm_sockets.h): family u16, reserved u16, port u32,
/// CID u32, 4 bytes of zero, in the machine's byte order. .NET has no such address family, but hands any serialized address to the kernel.
/// </summary>
public sealed class VsockEndPoint : EndPoint, IEquatable<VsockEndPoint>
{
    /// <summary>VMADDR_CID_ANY: listen for every peer.</summary>
    public const uint AnyCid = 0xFFFF_FFFF;

    /// <summary>AF_VSOCK.</summary>
    internal const ushort Family = 40;

    private const int SockaddrBytes = 16;

    private readonly AddressFamily _reportedFamily;

    /// <summary>Creates an address to listen on.</summary>
    public VsockEndPoint(uint cid, uint port)
        : this(cid, port, AddressFamily.Unspecified)
    {
    }

    private VsockEndPoint(uint cid, uint port, AddressFamily reportedFamily)
    {
        Cid = cid;
        Port = port;
        _reportedFamily = reportedFamily;
    }

    /// <summary>Context id: 2 is the host, 3 the parent of a Nitro Enclave, others are guests.</summary>
    public uint Cid { get; }

    /// <summary>The port; unrelated to TCP's.</summary>
    public uint Port { get; }

    /// <summary>
    /// What Socket has to be told to let the address pass: for a bound socket it makes addresses of this family and refuses those it does
    /// not know; for a connection the family must be that of the socket, which is unknown to it.
    /// </summary>
    public override AddressFamily AddressFamily => _reportedFamily;

    /// <summary>An address to connect to.</summary>
    public static VsockEndPoint Target(uint cid, uint port) => new(cid, port, AddressFamily.Unknown);

    /// <inheritdoc/>
    public override SocketAddress Serialize()
    {
        // The constructor knows only the families of .NET; Unspecified passes, and the family is written over it.
        var address = new SocketAddress(AddressFamily.Unspecified, SockaddrBytes);
        var bytes = address.Buffer.Span;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, Family);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], Port);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Cid);
        return address;
    }

    /// <inheritdoc/>
    public override EndPoint Create(SocketAddress socketAddress)
    {
        var bytes = socketAddress.Buffer.Span;
        return new VsockEndPoint(BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]));
    }

    /// <inheritdoc/>
    public bool Equals(VsockEndPoint? other) => other is not null && other.Cid == Cid && other.Port == Port;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as VsockEndPoint);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Cid, Port);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"vsock://{Cid}:{Port}");
}
