using Enclaves.Channel.Egress;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Channel;

public sealed class EgressHandshakeTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_host_reads_what_the_guest_asks_for_and_the_stream_follows_the_answer()
    {
        using var pair = await SocketPair.ConnectAsync();
        var request = new EgressRequest("db.example.com", 5432, "app");
        var asking = EgressHandshake.RequestAsync(pair.Near, request, None).AsTask();
        (await EgressHandshake.ReadRequestAsync(pair.Far, None)).ShouldBe(request);

        // A server that speaks first: its bytes come right behind the answer and must not be swallowed with it.
        await EgressHandshake.AcceptAsync(pair.Far, None);
        await SocketPair.SendAsync(pair.Far, "220 ready\n");
        pair.Far.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        await asking;
        (await SocketPair.ReadToEndAsync(pair.Near)).ShouldBe("220 ready\n");
    }

    [Fact]
    public async Task A_refusal_carries_the_hosts_sentence_in_plain_text()
    {
        using var pair = await SocketPair.ConnectAsync();
        var asking = EgressHandshake.RequestAsync(pair.Near, new EgressRequest("evil.example", 443, "app"), None).AsTask();
        await EgressHandshake.ReadRequestAsync(pair.Far, None);
        await EgressHandshake.RefuseAsync(pair.Far, "the manifest does not allow\n" + new string('x', 1000), None);
        var refusal = await asking.ShouldThrowAsync<EgressRefusedException>();
        refusal.Message.ShouldStartWith("the manifest does not allow?xxx");
        refusal.Message.Length.ShouldBeLessThan(EgressRequest.MaxLineBytes);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\n", "write CONNECT")]
    [InlineData("CONNECT host 99999 app\n", "is not 1 to 65535")]
    [InlineData("CONNECT host +1 app\n", "is not a port")]
    [InlineData("CONNECT ho$t 443 app\n", "is not a host name")]
    [InlineData("CONNECT host 443 App!\n", "is not a container's name")]
    [InlineData("CONNECT host 443 a\u0001pp\n", "not printable ASCII")]
    public async Task A_malformed_request_is_refused_with_what_is_wrong(string line, string problem)
    {
        using var pair = await SocketPair.ConnectAsync();
        await SocketPair.SendAsync(pair.Near, line);
        var error = await EgressHandshake.ReadRequestAsync(pair.Far, None).AsTask().ShouldThrowAsync<InvalidDataException>();
        error.Message.ShouldContain(problem);
    }

    [Fact]
    public async Task A_line_without_an_end_is_not_read_for_ever()
    {
        using var pair = await SocketPair.ConnectAsync();
        await SocketPair.SendAsync(pair.Near, new string('x', 10_000));
        var error = await EgressHandshake.ReadRequestAsync(pair.Far, None).AsTask().ShouldThrowAsync<InvalidDataException>();
        error.Message.ShouldContain("longer than 400 bytes");
    }

    [Fact]
    public async Task A_peer_that_hangs_up_within_the_line_is_an_error()
    {
        using var pair = await SocketPair.ConnectAsync();
        await SocketPair.SendAsync(pair.Near, "CONNECT ho");
        pair.Near.Dispose();
        var error = await EgressHandshake.ReadRequestAsync(pair.Far, None).AsTask().ShouldThrowAsync<InvalidDataException>();
        error.Message.ShouldContain("closed the connection after 10 bytes");
    }
}
