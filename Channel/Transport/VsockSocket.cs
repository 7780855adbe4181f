using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Enclaves.Channel.Transport;

/// <summary>Makes AF_VSOCK stream sockets.</summary>
internal static partial class VsockSocket
{
    private const int SockStream = 1;
    private const int SockCloexec = 0x80000;

    /// <exception cref="SocketException">The kernel has no vsock, or a seccomp profile blocks it.</exception>
    public static Socket Create()
    {
        var descriptor = OpenSocket(VsockEndPoint.Family, SockStream | SockCloexec, 0);
        if (descriptor < 0)
            throw new SocketException(
                (int)SocketError.AddressFamilyNotSupported,
                $"socket(AF_VSOCK): {Marshal.GetLastPInvokeErrorMessage()}; load the vsock module, and see that the seccomp profile allows AF_VSOCK");
        return new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);
}
