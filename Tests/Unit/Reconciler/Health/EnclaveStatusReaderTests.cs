using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Enclaves.Reconciler.Health;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Health;

/// <summary>Against real connections: whatever is at the other end, a question ends soon and in nothing worse than an <see cref="EnclaveStatusException"/>.</summary>
public sealed class EnclaveStatusReaderTests : IDisposable
{
    // Two seconds are the reader's own; the rest is for a busy machine.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly EnclaveStatusReader _reader = new();

    public void Dispose() => _reader.Dispose();

    [Fact]
    public async Task A_status_is_read_and_what_is_not_known_of_it_is_passed_over()
    {
        var status = await Ask(Reply("""{"name":"hello","state":"Running","boots":1,"containers":[{"name":"web","state":"Running","restarts":2,"ready":true,"newer":{"a":[1]}}]}"""));
        status.State.ShouldBe("Running");
        status.Containers.ShouldNotBeNull().ShouldHaveSingleItem().ShouldNotBeNull().Restarts.ShouldBe(2u);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"state":7}""")]
    [InlineData("""{"containers":[{"restarts":-1}]}""")]
    [InlineData("""{"containers":[{"restarts":99999999999999999999}]}""")]
    [InlineData("""{"state":"\ud800"}""")]
    [InlineData("\u0000\u0001")]
    public async Task What_is_no_status_is_said_to_be_none(string body) => (await Refused(Reply(body))).ShouldBe("its answer is not a status");

    [Fact]
    public async Task A_document_that_is_too_deep_is_no_status() =>
        (await Refused(Reply("{\"state\":" + new string('[', 5000) + new string(']', 5000) + "}"))).ShouldBe("its answer is not a status");

    [Theory]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "503")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", "302")]
    [InlineData("SSH-2.0-OpenSSH_9\r\n", "")]
    public async Task Another_answer_than_a_document_is_none_and_leads_nowhere(string answer, string says) =>
        (await Refused(stream => stream.WriteAsync(Encoding.ASCII.GetBytes(answer)).AsTask())).ShouldContain(says);

    [Fact]
    public async Task Silence_ends_after_the_limit() => (await Refused(_ => Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken))).ShouldContain("within 2 s");

    [Fact]
    public async Task A_body_that_never_ends_is_left_by_its_size() => await Refused(async stream =>
    {
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8.ToArray());
        for (var chunk = new byte[64 * 1024]; ;)
            await stream.WriteAsync(chunk);
    });

    [Fact]
    public async Task A_length_that_is_a_lie_costs_nothing() => await Refused(async stream =>
    {
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n{"u8.ToArray());
        await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
    });

    [Fact]
    public async Task A_body_that_trickles_is_left_by_its_time() => await Refused(async stream =>
    {
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"state\":\""u8.ToArray());
        while (true)
        {
            await stream.WriteAsync("x"u8.ToArray());
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    });

    [Fact]
    public async Task Headers_that_never_end_are_left_by_their_size() => await Refused(async stream =>
    {
        await stream.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray());
        for (var line = Encoding.ASCII.GetBytes($"X-A: {new string('a', 1000)}\r\n"); ;)
            await stream.WriteAsync(line);
    });

    [Fact]
    public async Task Nobody_there_is_said_at_once()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = (IPEndPoint)listener.LocalEndpoint;
        listener.Stop();
        await Should.ThrowAsync<EnclaveStatusException>(() => _reader.ReadAsync(address, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("10.211.0.7", true)]
    [InlineData("192.168.1.1", true)]
    [InlineData("fd00::7", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("fe80::1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("ff02::1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    public void Only_what_can_be_a_pod_is_asked(string address, bool can) => EnclaveStatusReader.IsPodAddress(IPAddress.Parse(address)).ShouldBe(can);

    private async Task<string> Refused(Func<NetworkStream, Task> answer)
    {
        var clock = Stopwatch.StartNew();
        var message = (await Should.ThrowAsync<EnclaveStatusException>(() => Ask(answer))).Message;
        clock.Elapsed.ShouldBeLessThan(Soon);
        return message;
    }

    private async Task<EnclaveStatus> Ask(Func<NetworkStream, Task> answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = Answer(listener, answer);
        try
        {
            return await _reader.ReadAsync((IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        }
        finally
        {
            listener.Stop();
            _ = answering.ContinueWith(task => _ = task.Exception, TaskScheduler.Default);
        }
    }

    private static async Task Answer(TcpListener listener, Func<NetworkStream, Task> answer)
    {
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.ReadAtLeastAsync(new byte[16], 16, cancellationToken: TestContext.Current.CancellationToken);
        await answer(stream);
        client.Client.Shutdown(SocketShutdown.Send);
        // Until the reader has had enough of it.
        while (await stream.ReadAsync(new byte[4096], TestContext.Current.CancellationToken) > 0)
        {
        }
    }

    private static Func<NetworkStream, Task> Reply(string body) => stream =>
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        return stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {bytes.Length}\r\n\r\n"), .. bytes]).AsTask();
    };
}
