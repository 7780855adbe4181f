using System.Net.Sockets;
using System.Text;

namespace Enclaves.Channel.Transport;

/// <summary>
/// Lines of the handshakes. Read a byte at a time: what follows the line belongs to the relayed stream and must stay in the socket, and
/// these lines are a few dozen bytes.
/// </summary>
internal static class BoundedLine
{
    /// <summary>Reads one line of ASCII without its end.</summary>
    /// <exception cref="InvalidDataException">The line is longer than the bound, is not ASCII, or the peer closed within it.</exception>
    public static async ValueTask<string> ReadAsync(Socket socket, int maxBytes, string what, CancellationToken cancellation)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await socket.ReceiveAsync(one, cancellation) == 1)
        {
            if (one[0] == (byte)'\n')
                return line.ToString();
            if (line.Length + 1 >= maxBytes)
                throw new InvalidDataException($"{what}: the line is longer than {maxBytes} bytes");
            if (one[0] is < 0x20 or > 0x7e)
                throw new InvalidDataException($"{what}: byte 0x{one[0]:x2} is not printable ASCII");
            line.Append((char)one[0]);
        }

        throw new InvalidDataException($"{what}: the peer closed the connection after {line.Length} bytes of the line");
    }

    /// <summary>Sends one line, its end included in the text.</summary>
    public static async ValueTask WriteAsync(Socket socket, string text, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> rest = Encoding.ASCII.GetBytes(text);
        while (!rest.IsEmpty)
            rest = rest[await socket.SendAsync(rest, cancellation)..];
    }
}
