using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Enclaves.Channel;
using Enclaves.Channel.Transport;

namespace Enclaves.Tests.VsockGuest;

/// <summary>
/// Tries AF_VSOCK on a kernel that has both ends of it (vsock_loopback), in a virtual machine: those that the tests run on have none. Prints a line
/// for each thing that holds, and ends with 1 at the first that does not.
/// </summary>
internal static class Program
{
    // VMADDR_CID_LOCAL: the machine itself, and the peer that it then is.
    private const uint Local = 1;
    private const uint Stranger = 70000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public static async Task<int> Main(string[] args)
    {
        if (args is ["hold", var held])
            return Hold(uint.Parse(held, CultureInfo.InvariantCulture));
        try
        {
            PortsAreHadOnce();
            PortsOfEveryCidCanBeBound();
            await APortIsGivenBackWithItsProcessAsync();
            AChildDoesNotInheritAPort();
            await OnlyTheExpectedPeerIsAcceptedAsync();
            await BytesGoBothWaysAndHalfClosesAsync();
            await NobodyListensIsAnErrorAsync();
            return 0;
        }
        catch (Exception e)
        {
            Console.WriteLine($"does not hold: {e}");
            return 1;
        }
    }

    private static void PortsAreHadOnce()
    {
        using (VsockReservation.TryTake(EnclavePorts.BootLock) ?? throw new InvalidOperationException("the port is taken already"))
        {
            Check(VsockReservation.TryTake(EnclavePorts.BootLock) is null, "a port that is taken cannot be taken");
            Check(Throws(() => ChannelListener.OnVsock(EnclavePorts.BootLock)), "nor be listened on");
        }

        using var again = VsockReservation.TryTake(EnclavePorts.BootLock);
        Check(again is not null, "a port that was given back can be taken");
    }

    private static void PortsOfEveryCidCanBeBound()
    {
        foreach (var cid in (uint[])[16, 0x1_0000, 0xFF_FFFF])
        {
            using var claim = VsockReservation.TryTake(EnclavePorts.Claim(cid));
            using var listener = ChannelListener.OnVsock(EnclavePorts.Egress(cid), cid);
            Check(claim is not null, $"claim and egress of CID {cid}");
        }
    }

    private static async Task APortIsGivenBackWithItsProcessAsync()
    {
        using var child = Start("hold", "9876");
        Check(await child.StandardOutput.ReadLineAsync() == "held", "another process takes a port");
        Check(VsockReservation.TryTake(9876) is null, "it is taken for this one");
        child.Kill();
        await child.WaitForExitAsync();
        using var taken = VsockReservation.TryTake(9876);
        Check(taken is not null, "after a SIGKILL it is free");
    }

    private static void AChildDoesNotInheritAPort()
    {
        var taken = VsockReservation.TryTake(9877);
        using var child = Start("hold", "9878");
        Check(child.StandardOutput.ReadLine() == "held", "a child is started while a port is taken");
        taken!.Dispose();
        using var again = VsockReservation.TryTake(9877);
        child.Kill();
        Check(again is not null, "it does not keep the port");
    }

    private static async Task OnlyTheExpectedPeerIsAcceptedAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        using var listener = ChannelListener.OnVsock(5000, Stranger);
        var accepting = listener.AcceptAsync(limit.Token).AsTask();
        using (var socket = await ConnectAsync(5000, limit.Token))
            Check(await EndsAsync(socket, limit.Token), "a peer of another CID is cut off");
        Check(!accepting.IsCompleted, "and not accepted");
        using var ours = ChannelListener.OnVsock(5001, Local);
        using var client = await ConnectAsync(5001, limit.Token);
        using var served = await ours.AcceptAsync(limit.Token);
        Check(served.Connected, "the peer that is expected is accepted");
    }

    private static async Task BytesGoBothWaysAndHalfClosesAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        using var listener = ChannelListener.OnVsock(5002, Local);
        var serving = EchoAsync(listener, limit.Token);
        using var socket = await ConnectAsync(5002, limit.Token);
        var sent = new byte[1024 * 1024];
        Random.Shared.NextBytes(sent);
        var received = new MemoryStream();
        var reading = new NetworkStream(socket).CopyToAsync(received, limit.Token);
        for (var at = 0; at < sent.Length;)
            at += await socket.SendAsync(sent.AsMemory(at, Math.Min(64 * 1024, sent.Length - at)), limit.Token);
        socket.Shutdown(SocketShutdown.Send);
        await Task.WhenAll(reading, serving);
        Check(received.ToArray().AsSpan().SequenceEqual(sent), "a megabyte came back whole, its end after the end of what was sent");
    }

    private static async Task NobodyListensIsAnErrorAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            (await ConnectAsync(5003, limit.Token)).Dispose();
        }
        catch (SocketException)
        {
            Check(true, "nobody listens is an error");
            return;
        }

        Check(false, "nobody listens is an error");
    }

    private static ValueTask<Socket> ConnectAsync(uint port, CancellationToken cancellation) =>
        HostTransport.For(ChannelEndpoint.Vsock(Local, EnclavePorts.Control)).ConnectAsync(port, cancellation);

    // Sends everything back only when all has come, so that a direction that ends takes the other with it where half-closing fails.
    private static async Task EchoAsync(ChannelListener listener, CancellationToken cancellation)
    {
        using var socket = await listener.AcceptAsync(cancellation);
        await using var stream = new NetworkStream(socket);
        var all = new MemoryStream();
        await stream.CopyToAsync(all, cancellation);
        await stream.WriteAsync(all.ToArray(), cancellation);
        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<bool> EndsAsync(Socket socket, CancellationToken cancellation)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1], cancellation) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static int Hold(uint port)
    {
        using var taken = VsockReservation.TryTake(port);
        Console.WriteLine(taken is null ? "taken" : "held");
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static bool Throws(Func<IDisposable> action)
    {
        try
        {
            action().Dispose();
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static void Check(bool holds, string what)
    {
        if (!holds)
            throw new InvalidOperationException(what);
        Console.WriteLine($"holds: {what}");
    }
}
