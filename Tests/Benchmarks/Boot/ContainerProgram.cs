using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Enclaves.Tests.Enclave.Harness;

namespace Enclaves.Tests.Benchmarks.Boot;

/// <summary>What the container runs: a program that listens almost as soon as it is started, accepts connections, and keeps them.</summary>
internal static class ContainerProgram
{
    private const string Script =
        "use Socket; socket(my $s, PF_INET, SOCK_STREAM, 0); setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);"
        + " bind($s, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die $!; listen($s, 512); my @kept; while (accept(my $c, $s)) { push @kept, $c }";

    /// <summary>Ports for it and for whatever else a benchmark lets listen.</summary>
    public static readonly FreePorts Ports = new(28000, 30999);

    /// <summary>Its command line.</summary>
    public static string[] Command(int port) => ["/usr/bin/perl", "-e", Script, port.ToString(CultureInfo.InvariantCulture)];

    /// <summary>How long it takes by itself until it accepts connections.</summary>
    public static async Task<TimeSpan> StartTime(CancellationToken cancellation)
    {
        var port = Ports.Next();
        var command = Command(port);
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(command[0], command[1..]);
        try
        {
            while (!await Accepts(port, cancellation))
                cancellation.ThrowIfCancellationRequested();
            return watch.Elapsed;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task<bool> Accepts(int port, CancellationToken cancellation)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
