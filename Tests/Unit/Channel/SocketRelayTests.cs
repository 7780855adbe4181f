using System.Net.Sockets;
using Enclaves.Channel.Relay;
using Enclaves.Channel.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Channel;

public sealed class SocketRelayTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_half_close_is_passed_on_and_the_answer_still_arrives()
    {
        using var client = await SocketPair.ConnectAsync();
        using var server = await SocketPair.ConnectAsync();
        var counters = new RelayCounters();
        var relay = SocketRelay.RunAsync(client.Far, server.Near, RelayDirection.Ingress, counters, halfCloses: true, None);

        await SocketPair.SendAsync(client.Near, "question");
        client.Near.Shutdown(SocketShutdown.Send);
        (await SocketPair.ReadToEndAsync(server.Far)).ShouldBe("question");
        await SocketPair.SendAsync(server.Far, "the answer");
        server.Far.Shutdown(SocketShutdown.Send);
        (await SocketPair.ReadToEndAsync(client.Near)).ShouldBe("the answer");

        await relay;
        (counters.BytesIn, counters.BytesOut, counters.Open, counters.Total).ShouldBe((8, 10, 0, 1));
    }

    [Fact]
    public async Task Where_the_inner_side_cannot_half_close_its_way_in_stays_open_until_it_has_answered()
    {
        using var client = await SocketPair.ConnectAsync();
        using var server = await SocketPair.ConnectAsync();
        var relay = SocketRelay.RunAsync(client.Far, server.Near, RelayDirection.Ingress, new RelayCounters(), halfCloses: false, None);

        await SocketPair.SendAsync(client.Near, "question");
        client.Near.Shutdown(SocketShutdown.Send);
        var buffer = new byte[64];
        (await server.Far.ReceiveAsync(buffer, None)).ShouldBe(8);
        var ended = server.Far.ReceiveAsync(buffer, None).AsTask();
        await SocketPair.SendAsync(server.Far, "answer");
        server.Far.Shutdown(SocketShutdown.Send);
        (await SocketPair.ReadToEndAsync(client.Near)).ShouldBe("answer");
        await relay;
        (await ended).ShouldBe(0);
    }

    [Theory]
    [InlineData(RelayDirection.Ingress)]
    [InlineData(RelayDirection.Egress)]
    public async Task Where_the_transport_cannot_half_close_the_servers_end_ends_the_whole_connection(RelayDirection direction)
    {
        // The transport is on the client's side, as in the enclave for ingress and on the host for egress.
        using var client = await SocketPair.ConnectAsync(unix: true);
        using var server = await SocketPair.ConnectAsync();
        var (outside, inside) = direction == RelayDirection.Ingress ? (client.Far, server.Near) : (server.Near, client.Far);
        var relay = SocketRelay.RunAsync(outside, inside, direction, new RelayCounters(), halfCloses: false, None);
        await SocketPair.SendAsync(server.Far, "answer");
        server.Far.Shutdown(SocketShutdown.Send);
        (await SocketPair.ReadToEndAsync(client.Near)).ShouldBe("answer");
        // Nothing was ended by the client, and yet both are closed.
        await relay;
        (await SocketPair.ReadToEndAsync(server.Far)).ShouldBe("");
    }

    [Fact]
    public async Task A_reset_is_passed_on_as_a_reset_so_that_a_cut_stream_never_looks_complete()
    {
        using var client = await SocketPair.ConnectAsync();
        using var server = await SocketPair.ConnectAsync();
        var relay = SocketRelay.RunAsync(client.Far, server.Near, RelayDirection.Ingress, new RelayCounters(), halfCloses: true, None);
        server.Far.LingerState = new LingerOption(true, 0);
        server.Far.Dispose();
        var error = await SocketPair.ReadToEndAsync(client.Near).ShouldThrowAsync<SocketException>();
        error.SocketErrorCode.ShouldBe(SocketError.ConnectionReset);
        await relay;
    }

    [Fact]
    public async Task A_client_that_has_all_of_the_answer_is_not_reset_when_the_connection_is_given_up()
    {
        using var client = await SocketPair.ConnectAsync();
        using var server = await SocketPair.ConnectAsync();
        using var end = new CancellationTokenSource();
        var relay = SocketRelay.RunAsync(client.Far, server.Near, RelayDirection.Ingress, new RelayCounters(), halfCloses: true, end.Token);
        await SocketPair.SendAsync(server.Far, "answer");
        server.Far.Shutdown(SocketShutdown.Send);
        (await SocketPair.ReadToEndAsync(client.Near)).ShouldBe("answer");
        await end.CancelAsync();
        await relay;
        client.Near.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error).ShouldBe(0);
        // The other side was still waiting for the client's end, which never came.
        var error = await SocketPair.ReadToEndAsync(server.Far).ShouldThrowAsync<SocketException>();
        error.SocketErrorCode.ShouldBe(SocketError.ConnectionReset);
    }

    [Fact]
    public async Task More_connections_out_than_there_is_room_for_are_refused_at_once()
    {
        var folder = Directory.CreateTempSubdirectory("relay").FullName;
        var path = Path.Combine(folder, "s");
        using var server = await SocketPair.ConnectAsync();
        await using (var relay = new RelayServer("egress", ChannelListener.OnUnixSocket(path), RelayDirection.Egress,
            (_, _) => ValueTask.FromResult(server.Near), NullLogger.Instance, maxOpen: 1))
        {
            using var first = await Connect(path);
            await SocketPair.SendAsync(first, "a");
            (await server.Far.ReceiveAsync(new byte[1], None)).ShouldBe(1);
            using var second = await Connect(path);
            (await second.ReceiveAsync(new byte[1], None)).ShouldBe(0);
            relay.Counters.Refused.ShouldBe(1);
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task<Socket> Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), None);
        return socket;
    }

    [Fact]
    public async Task A_reader_that_stops_reading_stops_the_writer()
    {
        using var client = await SocketPair.ConnectAsync();
        using var server = await SocketPair.ConnectAsync();
        var counters = new RelayCounters();
        using var end = new CancellationTokenSource();
        var relay = SocketRelay.RunAsync(client.Far, server.Near, RelayDirection.Ingress, counters, halfCloses: true, end.Token);

        // Far more than all socket buffers on the way hold; nobody reads at the other end.
        var flood = FloodAsync(client.Near, megabytes: 64);
        (await Task.WhenAny(flood, Task.Delay(TimeSpan.FromSeconds(1), None))).ShouldNotBe(flood);
        counters.BytesIn.ShouldBeLessThan(64L << 20);

        await end.CancelAsync();
        await relay;
        await flood.ShouldThrowAsync<SocketException>();
    }

    private static async Task FloodAsync(Socket socket, int megabytes)
    {
        var chunk = new byte[1 << 20];
        for (var i = 0; i < megabytes; i++)
        {
            for (var sent = 0; sent < chunk.Length;)
                sent += await socket.SendAsync(chunk.AsMemory(sent), CancellationToken.None);
        }
    }
}
