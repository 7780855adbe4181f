using Enclaves.Channel.Transport;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Channel;

public sealed class ChannelEndpointTests
{
    [Theory]
    [InlineData("vsock://16:7000")]
    [InlineData("vsock://any:7000")]
    [InlineData("uds:///run/enclave/vsock.sock:7000")]
    [InlineData("dir:///run/enclave:4294967295")]
    public void The_text_form_reads_back_as_it_was_written(string text) => ChannelEndpoint.Parse(text).ToString().ShouldBe(text);

    [Theory]
    [InlineData("tcp://1.2.3.4:80", "write vsock://")]
    [InlineData("vsock://sixteen:7000", "is not a CID")]
    [InlineData("vsock://16", "does not end with ':<port>'")]
    [InlineData("vsock://16:-1", "does not end with ':<port>'")]
    [InlineData("uds://relative:7000", "must be absolute")]
    public void A_wrong_text_is_refused_with_what_is_wrong(string text, string problem) =>
        Should.Throw<FormatException>(() => ChannelEndpoint.Parse(text)).Message.ShouldContain(problem);

    [Fact]
    public void A_path_that_no_Unix_socket_can_have_is_refused() =>
        Should.Throw<FormatException>(() => ChannelEndpoint.Directory("/" + new string('d', 100), 1)).Message.ShouldContain("shorter");

    [Fact]
    public void A_vsock_address_has_the_kernels_layout()
    {
        var address = new VsockEndPoint(cid: 16, port: 7000).Serialize();
        address.Buffer.Span[..address.Size].ToArray().ShouldBe(new byte[] { 40, 0, 0, 0, 0x58, 0x1b, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0 });
        new VsockEndPoint(0, 0).Create(address).ShouldBe(new VsockEndPoint(16, 7000));
    }
}
