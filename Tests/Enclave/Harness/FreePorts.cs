using System.Net;
using System.Net.Sockets;

namespace Enclaves.Tests.Enclave.Harness;

/// <summary>
/// TCP ports for the programs under test, which bind them a moment after they are chosen. Each is handed out once, and all are below those
/// that the kernel gives to connections and to listeners without a wish, so that nobody takes one in between.
/// </summary>
internal sealed class FreePorts(int from, int last)
{
    private readonly Lock _lock = new();
    private int _next = from;

    /// <summary>The next port that is free on all addresses.</summary>
    public int Next()
    {
        lock (_lock)
        {
            while (_next <= last)
            {
                var port = _next++;
                try
                {
                    using var listener = new TcpListener(IPAddress.Any, port);
                    listener.Start();
                    return port;
                }
                catch (SocketException)
                {
                    // Somebody else's; the next one.
                }
            }
        }

        throw new InvalidOperationException($"no port up to {last} is left");
    }
}
