using System.Net;
using System.Net.Sockets;
using System.Text;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Health;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

/// <summary>Looks by HTTP and TCP at a server whose answers are plain text, so that nothing mends them on the way.</summary>
public sealed class ProbeAskTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<string> _requests = [];

    public ProbeAskTests() => _listener.Start();

    public void Dispose() => _listener.Dispose();

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0", ProbeOutcome.Success, "")]
    [InlineData("HTTP/1.1 204 No Content", ProbeOutcome.Success, "")]
    [InlineData("HTTP/1.1 399 Odd\r\nContent-Length: 0", ProbeOutcome.Success, "")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/", ProbeOutcome.Success, "")]
    [InlineData("HTTP/1.1 400 Bad\r\nContent-Length: 0", ProbeOutcome.Failure, "HTTP status 400 from /up?a=b")]
    [InlineData("HTTP/1.1 503 Busy\r\nContent-Length: 900000000", ProbeOutcome.Failure, "HTTP status 503")]
    [InlineData("rubbish", ProbeOutcome.Failure, "invalid status line")]
    public async Task The_status_decides(string answer, object outcome, string message)
    {
        Serve(_ => answer);
        var result = await AskAsync();
        result.Outcome.ShouldBe((ProbeOutcome)outcome);
        result.Message.ShouldContain(message);
        _requests.ShouldHaveSingleItem().ShouldStartWith("GET /up?a=b HTTP/1.1\r\n");
    }

    [Fact]
    public async Task A_redirect_on_the_same_host_is_followed_and_one_that_never_ends_is_a_failure()
    {
        Serve(request => request.StartsWith("GET /up", StringComparison.Ordinal)
            ? "HTTP/1.1 307 There\r\nContent-Length: 0\r\nLocation: /really"
            : "HTTP/1.1 500 No\r\nContent-Length: 0");
        (await AskAsync()).Message.ShouldBe("HTTP status 500 from /really");

        Serve(_ => "HTTP/1.1 307 There\r\nContent-Length: 0\r\nLocation: /up");
        (await AskAsync()).Message.ShouldBe("more than 10 redirects");
    }

    [Fact]
    public async Task Headers_are_sent_as_given_and_take_the_place_of_the_probe_s_own()
    {
        Serve(_ => "HTTP/1.1 200 OK\r\nContent-Length: 0");
        await AskAsync(("Host", "app.example"), ("User-Agent", "mine"), ("X-Twice", "1"), ("X-Twice", "2"), ("Content-Type", "text/plain"));
        var request = _requests.ShouldHaveSingleItem();
        request.ShouldContain("Host: app.example\r\n");
        request.ShouldContain("User-Agent: mine\r\n");
        request.ShouldNotContain("enclaves-probe");
        request.ShouldContain("X-Twice: 1");
        request.ShouldContain("Content-Type: text/plain\r\n");
    }

    [Fact]
    public async Task Nobody_listening_is_a_failure_that_names_it()
    {
        var port = Port;
        _listener.Stop();
        (await new HttpAsk(Request([])).AskAsync(Second, TestContext.Current.CancellationToken)).Outcome.ShouldBe(ProbeOutcome.Failure);
        var result = await new TcpAsk([port]).AskAsync(Second, TestContext.Current.CancellationToken);
        result.ShouldBe(ProbeResult.Failure($"port {port}: Connection refused"));

        ManifestHttpGet Request(IReadOnlyList<ManifestHeader> headers) => new() { Scheme = "HTTP", Port = port, Path = "/", Headers = headers };
    }

    [Fact]
    public async Task A_port_that_takes_connections_is_a_success() =>
        (await new TcpAsk([Port]).AskAsync(Second, TestContext.Current.CancellationToken)).ShouldBe(ProbeResult.Success);

    private Task<ProbeResult> AskAsync(params (string Name, string Value)[] headers) => new HttpAsk(new ManifestHttpGet
    {
        Scheme = "HTTP",
        Port = Port,
        Path = "/up?a=b",
        Headers = [.. headers.Select(header => new ManifestHeader { Name = header.Name, Value = header.Value })],
    }).AskAsync(Second, TestContext.Current.CancellationToken);

    private volatile Func<string, string>? _answer;

    private void Serve(Func<string, string> answer)
    {
        var isFirst = _answer is null;
        _answer = answer;
        if (isFirst)
            _ = Task.Run(ServeAsync, TestContext.Current.CancellationToken);
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            using var client = await _listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
            var buffer = new byte[8192];
            var request = Encoding.ASCII.GetString(buffer, 0, await client.ReceiveAsync(buffer, TestContext.Current.CancellationToken));
            lock (_requests)
                _requests.Add(request);
            await client.SendAsync(Encoding.ASCII.GetBytes(_answer!(request) + "\r\n\r\n"), TestContext.Current.CancellationToken);
        }
    }
}
