using System.Net;
using System.Net.Sockets;
using Enclaves.Channel;
using Enclaves.Channel.Egress;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>The way out, as an enclave meets it: what is not listed, or only the node's, is refused with a sentence.</summary>
public sealed class EgressTests : IDisposable
{
    private readonly TcpListener _destination = new(IPAddress.Loopback, 0);

    public EgressTests() => _destination.Start();

    private int Port => ((IPEndPoint)_destination.LocalEndpoint).Port;

    [Fact]
    public async Task A_destination_that_is_not_listed_is_refused_counted_and_logged_with_its_container()
    {
        await using var enclave = await StartAsync();
        var refusal = await Should.ThrowAsync<EgressRefusedException>(() => AskAsync(enclave, new EgressRequest("evil.example.com", 443, "app")));
        refusal.Message.ShouldContain("evil.example.com:443 is not among the destinations of 'app'");
        (await enclave.Host.MetricsAsync()).ShouldContain("enclave_egress_refused_total{container=\"app\"} 1\n");
        await Eventually.Holds("the refusal is in the log", TimeSpan.FromSeconds(30),
            () => Task.FromResult(enclave.Host.Output.Contains("container app: evil.example.com:443", StringComparison.Ordinal)), enclave.Host.Explain);
    }

    [Fact]
    public async Task A_listed_destination_that_is_the_nodes_own_is_refused_as_well()
    {
        await using var enclave = await StartAsync();
        var refusal = await Should.ThrowAsync<EgressRefusedException>(() => AskAsync(enclave, new EgressRequest("127.0.0.1", Port, "app")));
        refusal.Message.ShouldBe("127.0.0.1 is a loopback address; the chart's value enclave.allowDestinations could let it through");
        _destination.Pending().ShouldBeFalse();
    }

    [Fact]
    public async Task A_listed_destination_is_reached_and_bytes_pass_both_ways()
    {
        await using var enclave = await StartAsync("127.0.0.1", "--allow-destinations", "127.0.0.0/8");
        using var socket = await AskAsync(enclave, new EgressRequest("127.0.0.1", Port, "app"));
        using var other = await _destination.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await socket.SendAsync("to"u8.ToArray());
        var buffer = new byte[2];
        (await other.ReceiveAsync(buffer)).ShouldBe(2);
        await other.SendAsync("fr"u8.ToArray());
        other.Shutdown(SocketShutdown.Send);
        (await socket.ReceiveAsync(buffer)).ShouldBe(2);
        (await socket.ReceiveAsync(buffer)).ShouldBe(0);
    }

    [Fact]
    public async Task An_unknown_container_reaches_nothing_and_makes_no_counter_of_its_own()
    {
        await using var enclave = await StartAsync("127.0.0.1", "--allow-destinations", "127.0.0.0/8");
        await Should.ThrowAsync<EgressRefusedException>(() => AskAsync(enclave, new EgressRequest("127.0.0.1", Port, "ghost")));
        (await enclave.Host.MetricsAsync()).ShouldContain("enclave_egress_refused_total{container=\"unknown\"} 1\n");
    }

    [Fact]
    public async Task A_name_is_looked_up_once_in_its_time_and_a_later_answer_is_judged_anew()
    {
        await using var names = await NameServer.StartAsync(timeToLive: 3, "127.0.0.1 shop.example\n");
        await using var enclave = await StartAsync("shop.example", "--allow-destinations", "127.0.0.0/8", "--dns-servers", names.Address);
        var request = new EgressRequest("shop.example", Port, "app");
        for (var i = 0; i < 20; i++)
            (await AskAsync(enclave, request)).Dispose();
        names.Asked("shop.example").ShouldBeLessThan(5, await names.Explain());

        // The name's owner turns it against the node's metadata service.
        await names.ChangeAsync("169.254.169.254 shop.example\n");
        var reason = "";
        await Eventually.Holds("the new answer counts", TimeSpan.FromSeconds(30), async () =>
        {
            try
            {
                (await AskAsync(enclave, request)).Dispose();
            }
            catch (EgressRefusedException e)
            {
                reason = e.Message;
            }

            return reason.Length > 0;
        }, names.Explain);
        reason.ShouldStartWith("shop.example: 169.254.169.254 is link-local, where the metadata service is; ");
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_refused_and_asked_for_once_in_a_while()
    {
        await using var names = await NameServer.StartAsync(timeToLive: 60, "127.0.0.1 shop.example\n");
        await using var enclave = await StartAsync("nowhere.example", "--dns-servers", names.Address);
        for (var i = 0; i < 20; i++)
            (await Should.ThrowAsync<EgressRefusedException>(() => AskAsync(enclave, new EgressRequest("nowhere.example", Port, "app")))).Message
                .ShouldBe("the pod's DNS knows no address of nowhere.example; see that the name is right, and that the cluster resolves it");
        names.Asked("nowhere.example").ShouldBeInRange(1, 6, await names.Explain());
    }

    [Fact]
    public async Task A_connection_that_needs_attestation_is_refused_inside_and_says_so()
    {
        await using var enclave = LocalEnclave.Start(app => app with
        {
            Outbound = [new ManifestOutbound { Host = "peer.example", Port = Port, Type = OutboundType.Proxy }],
        });
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        using var client = new TcpClient();
        await client.ConnectAsync(enclave.Host.AddressInside("peer.example"), Port, TestContext.Current.CancellationToken);
        (await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken)).ShouldBe(0);
        await Eventually.Holds("the refusal is in the log", TimeSpan.FromSeconds(30),
            () => Task.FromResult(enclave.Host.Output.Contains($"container app: peer.example:{Port} is of type 'proxy', which needs attestation", StringComparison.Ordinal)),
            enclave.Host.Explain);
        // The enclave tells of its relays every ten seconds.
        await Eventually.Holds("the refusal is counted", TimeSpan.FromSeconds(30), async () => (await enclave.Host.StatusAsync())["enclaveRelays"]!.AsArray()
            .Single(relay => (string)relay!["name"]! == $"egress:peer.example:{Port}")!["refused"]!.GetValue<int>() == 1, enclave.Host.Explain);
    }

    public void Dispose() => _destination.Dispose();

    // No Orchestrator is needed: the test speaks in its place.
    private Task<LocalEnclave> StartAsync() => StartAsync("127.0.0.1");

    private async Task<LocalEnclave> StartAsync(string destination, params string[] arguments)
    {
        var silent = Path.Combine(AppContext.BaseDirectory, "Plugin", "silent.sh");
        var enclave = LocalEnclave.Start(
            app => app with { Outbound = [new ManifestOutbound { Host = destination, Port = Port }] }, [.. arguments, "--orchestrator", silent]);
        await enclave.Host.UntilStateAsync("Booting", LocalEnclave.ReadyLimit);
        return enclave;
    }

    private static async Task<Socket> AskAsync(LocalEnclave enclave, EgressRequest request)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint($"{enclave.Host.RunFolder}/host_{EnclavePorts.Egress(16)}"), cancellation);
            await EgressHandshake.RequestAsync(socket, request, cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
