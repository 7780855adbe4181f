using System.Net;
using System.Net.Sockets;
using Enclaves.Channel.Relay;
using Enclaves.Channel.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Channel;

public sealed class TransportTests : IDisposable
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private readonly string _directory = Directory.CreateTempSubdirectory("channel").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Both_sides_of_a_directory_find_each_other()
    {
        var endpoint = ChannelEndpoint.Directory(_directory, 7000);
        var guest = GuestTransport.For(endpoint);
        var host = HostTransport.For(endpoint);
        using var serving = guest.Listen(7000);
        using var called = await host.ConnectAsync(7000, None);
        using var inside = await serving.AcceptAsync(None);
        await SocketPair.SendAsync(called, "in");
        called.Shutdown(SocketShutdown.Send);
        (await SocketPair.ReadToEndAsync(inside)).ShouldBe("in");

        using var egress = host.Listen(99);
        using var calling = await guest.ConnectAsync(99, None);
        using var outside = await egress.AcceptAsync(None);
        await SocketPair.SendAsync(calling, "out");
        calling.Shutdown(SocketShutdown.Send);
        (await SocketPair.ReadToEndAsync(outside)).ShouldBe("out");
    }

    [Fact]
    public async Task Hybrid_vsock_asks_for_the_port_and_leaves_what_follows_the_answer_in_the_stream()
    {
        var path = Path.Combine(_directory, "vsock.sock");
        using var device = ChannelListener.OnUnixSocket(path);
        var connecting = HostTransport.For(ChannelEndpoint.Hybrid(path, 1)).ConnectAsync(7000, None).AsTask();
        using var accepted = await device.AcceptAsync(None);
        var buffer = new byte[64];
        var received = await accepted.ReceiveAsync(buffer, None);
        System.Text.Encoding.ASCII.GetString(buffer, 0, received).ShouldBe("CONNECT 7000\n");
        await SocketPair.SendAsync(accepted, "OK 1073741824\nhello");
        accepted.Shutdown(SocketShutdown.Send);
        using var socket = await connecting;
        (await SocketPair.ReadToEndAsync(socket)).ShouldBe("hello");
    }

    [Fact]
    public async Task A_hybrid_connection_that_is_given_up_stays_open_until_the_device_has_answered()
    {
        var path = Path.Combine(_directory, "vsock.sock");
        using var device = ChannelListener.OnUnixSocket(path);
        using var giveUp = new CancellationTokenSource();
        var connecting = HostTransport.For(ChannelEndpoint.Hybrid(path, 1)).ConnectAsync(7000, giveUp.Token).AsTask();
        using var accepted = await device.AcceptAsync(None);
        var buffer = new byte[64];
        await accepted.ReceiveAsync(buffer, None);
        await giveUp.CancelAsync();
        await connecting.ShouldThrowAsync<OperationCanceledException>();

        var end = accepted.ReceiveAsync(buffer, None).AsTask();
        await Task.Delay(200, None);
        end.IsCompleted.ShouldBeFalse();
        await SocketPair.SendAsync(accepted, "OK 1073741824\n");
        // It may end as a reset, since the answer was not read whole.
        var ended = await end.ContinueWith(task => task.IsFaulted ? 0 : task.Result, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(20), None);
        ended.ShouldBe(0);
    }

    [Fact]
    public async Task A_guest_port_on_which_nothing_listens_is_refused()
    {
        var path = Path.Combine(_directory, "vsock.sock");
        using var device = ChannelListener.OnUnixSocket(path);
        var connecting = HostTransport.For(ChannelEndpoint.Hybrid(path, 1)).ConnectAsync(7000, None).AsTask();
        (await device.AcceptAsync(None)).Dispose();
        var error = await connecting.ShouldThrowAsync<SocketException>();
        error.SocketErrorCode.ShouldBeOneOf(SocketError.ConnectionRefused, SocketError.ConnectionReset);
    }

    [Fact]
    public async Task A_relay_counts_what_it_refuses_and_goes_on()
    {
        using var target = ChannelListener.OnTcp(new IPEndPoint(IPAddress.Loopback, 0));
        var listener = ChannelListener.OnTcp(new IPEndPoint(IPAddress.Loopback, 0));
        var refuse = true;
        await using var relay = new RelayServer(
            "test", listener, RelayDirection.Ingress, (_, cancellation) => refuse ? throw new RelayRefusedException("no") : ConnectAsync(target.Address, cancellation), NullLogger.Instance);

        using var refused = await ConnectAsync(listener.Address, None);
        (await SocketPair.ReadToEndAsync(refused)).ShouldBe("");
        relay.Counters.Refused.ShouldBe(1);

        refuse = false;
        using var client = await ConnectAsync(listener.Address, None);
        using var server = await target.AcceptAsync(None);
        await SocketPair.SendAsync(server, "served");
        server.Shutdown(SocketShutdown.Send);
        (await SocketPair.ReadToEndAsync(client)).ShouldBe("served");
        relay.Counters.Total.ShouldBe(1);
    }

    [Fact]
    public async Task A_relay_that_drains_lets_connections_end_and_breaks_those_that_do_not()
    {
        using var target = ChannelListener.OnTcp(new IPEndPoint(IPAddress.Loopback, 0));
        var listener = ChannelListener.OnTcp(new IPEndPoint(IPAddress.Loopback, 0));
        await using var relay = new RelayServer(
            "test", listener, RelayDirection.Ingress, (_, cancellation) => ConnectAsync(target.Address, cancellation), NullLogger.Instance);
        using var client = await ConnectAsync(listener.Address, None);
        using var server = await target.AcceptAsync(None);
        await SocketPair.SendAsync(server, "x");
        (await client.ReceiveAsync(new byte[1], None)).ShouldBe(1);

        await relay.DrainAsync(TimeSpan.FromMilliseconds(200), None);
        await SocketPair.ReadToEndAsync(client).ShouldThrowAsync<SocketException>();
        await ConnectAsync(listener.Address, None).AsTask().ShouldThrowAsync<SocketException>();
    }

    private static async ValueTask<Socket> ConnectAsync(EndPoint address, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, cancellation);
        return socket;
    }
}
