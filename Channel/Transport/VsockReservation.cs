using System.Net.Sockets;

namespace Enclaves.Channel.Transport;

/// <summary>
/// An AF_VSOCK port of this machine that is bound, and on which nobody listens: a thing that one process can have at a time, and that the kernel
/// gives back when the process ends. Programs that are started meanwhile do not inherit it.
/// </summary>
public sealed class VsockReservation : IDisposable
{
    private readonly Socket _socket;

    private VsockReservation(Socket socket) => _socket = socket;

    /// <summary>Binds the port; null where it is taken.</summary>
    /// <exception cref="SocketException">There is no vsock here.</exception>
    public static VsockReservation? TryTake(uint port)
    {
        var socket = VsockSocket.Create();
        try
        {
            socket.Bind(new VsockEndPoint(VsockEndPoint.AnyCid, port));
            return new VsockReservation(socket);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            if (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
                return null;
            throw new SocketException((int)e.SocketErrorCode, $"take vsock port {port}: {e.Message}");
        }
    }

    /// <summary>Gives the port back.</summary>
    public void Dispose() => _socket.Dispose();
}
