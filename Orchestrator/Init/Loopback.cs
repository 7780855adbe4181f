using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Enclaves.Orchestrator.Init;

/// <summary>The loopback interface, by rtnetlink: there is no ip command in an enclave.</summary>
internal static partial class Loopback
{
    private const int AfNetlink = 16;
    private const int SockRawCloexec = 3 | 0x80000;
    private const ushort NewLink = 16;
    private const ushort NewAddress = 20;
    private const ushort RequestAck = 0x1 | 0x4;
    private const ushort CreateReplace = 0x400 | 0x100;
    private const ushort ErrorMessage = 2;
    private const uint InterfaceUp = 1;
    private const uint LoopbackIndex = 1;
    private const byte HostScope = 254;
    private const byte NoDuplicateDetection = 2;
    private const ushort AttributeAddress = 1;
    private const ushort AttributeLocal = 2;

    /// <summary>Brings the interface up.</summary>
    /// <exception cref="IOException">The kernel's reason.</exception>
    public static void Up()
    {
        // struct ifinfomsg: family, pad, type u16, index, flags, change mask.
        var body = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(4), LoopbackIndex);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(8), InterfaceUp);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(12), InterfaceUp);
        Request(NewLink, RequestAck, body, "bring the loopback interface up");
    }

    /// <summary>Makes an address of another network one of this machine's own; an address that is there already is fine.</summary>
    /// <exception cref="IOException">The kernel's reason.</exception>
    public static void Add(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        // struct ifaddrmsg, then the address twice: as the local one and as its own peer.
        var attribute = 4 + bytes.Length;
        var body = new byte[8 + (2 * attribute)];
        body[0] = (byte)(address.AddressFamily == AddressFamily.InterNetworkV6 ? 10 : 2);
        body[1] = (byte)(bytes.Length * 8);
        body[2] = NoDuplicateDetection;
        body[3] = HostScope;
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(4), LoopbackIndex);
        WriteAttribute(body.AsSpan(8), AttributeLocal, bytes);
        WriteAttribute(body.AsSpan(8 + attribute), AttributeAddress, bytes);
        Request(NewAddress, RequestAck | CreateReplace, body, $"add {address} to the loopback interface");
    }

    private static void WriteAttribute(Span<byte> target, ushort type, byte[] value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)(4 + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(target[2..], type);
        value.CopyTo(target[4..]);
    }

    private static void Request(ushort type, ushort flags, byte[] body, string what)
    {
        var message = new byte[16 + body.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(8), 1);
        body.CopyTo(message.AsSpan(16));

        var descriptor = OpenSocket(AfNetlink, SockRawCloexec, 0);
        Libc.Check(descriptor, $"{what}: open a netlink socket");
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Libc.Check((int)Send(handle, message, (nuint)message.Length, 0), what);
        var answer = new byte[4096];
        var length = (int)Receive(handle, answer, (nuint)answer.Length, 0);
        Libc.Check(length, what);
        if (length < 20 || BinaryPrimitives.ReadUInt16LittleEndian(answer.AsSpan(4)) != ErrorMessage)
            throw new IOException($"{what}: the kernel's answer of {length} bytes is not an acknowledgement");
        var error = -BinaryPrimitives.ReadInt32LittleEndian(answer.AsSpan(16));
        if (error != 0)
            throw new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeHandle socket, [In] byte[] data, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, [Out] byte[] data, nuint length, int flags);
}
