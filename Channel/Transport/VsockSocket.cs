using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Enclaves.Channel.Transport;

/// <summary>Makes AF_VSOCK stream sockets.</summary>
public static partial class VsockSocket
{
    private const int SockStream = 1;
    private const int SockCloexec = 0x80000;

    // errno(3).
    private const int Eperm = 1;
    private const int Eacces = 13;

    /// <summary>How an attempt to make one goes: Success, AccessDenied (a seccomp profile blocks it), or AddressFamilyNotSupported.</summary>
    public static SocketError Try()
    {
        try
        {
            Create().Dispose();
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    /// <exception cref="SocketException">The kernel has no vsock, or a seccomp profile blocks it.</exception>
    internal static Socket Create()
    {
        var descriptor = OpenSocket(VsockEndPoint.Family, SockStream | SockCloexec, 0);
        if (descriptor >= 0)
            return new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
        var isBlocked = Marshal.GetLastPInvokeError() is Eperm or Eacces;
        throw new SocketException(
            (int)(isBlocked ? SocketError.AccessDenied : SocketError.AddressFamilyNotSupported),
            $"socket(AF_VSOCK): {Marshal.GetLastPInvokeErrorMessage()}; "
            + (isBlocked ? "the seccomp profile blocks it: use one that allows AF_VSOCK, as the chart's does" : "load the vsock module"));
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);
}
