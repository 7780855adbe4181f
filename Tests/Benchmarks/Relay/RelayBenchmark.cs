using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Enclaves.Tests.Benchmarks.Boot;
using Enclaves.Tests.Benchmarks.Reconcile;
using Enclaves.Tests.Enclave.Harness;
using ClientSocket = System.Net.Sockets.Socket;

namespace Enclaves.Tests.Benchmarks.Relay;

/// <summary>
/// Traffic from a client through EnclaveHost to a peer behind its Unix socket, beside the same through a relay in C, through socat, and
/// straight to the peer. All of them take turns in one run, so that their ratios say something on a machine that others use too.
/// </summary>
internal sealed class RelayBenchmark : IAsyncDisposable
{
    private const int Rounds = 5;
    private const double Seconds = 2;

    private const int IdleConnections = 10_000;
    private static readonly TimeSpan IntoFlood = TimeSpan.FromSeconds(4);

    // A thousand requests a second in all.
    private const int PingConnections = 10;
    private const int PingsEach = 100;

    private readonly string _flow;
    private readonly TemporaryFolder _folder = new();
    private readonly StartedEnclave _enclave;
    private readonly List<Daemon> _daemons = [];

    private RelayBenchmark(string flow, StartedEnclave enclave) => (_flow, _enclave) = (flow, enclave);

    private string Socket => _enclave.GuestSocket;

    /// <summary>Runs it.</summary>
    /// <param name="programs">EnclaveHost and Orchestrator, native.</param>
    /// <param name="flow">The program of flow.c.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async Task Run((string Host, string Orchestrator) programs, string flow, CancellationToken cancellation)
    {
        await using var benchmark = new RelayBenchmark(flow, await StartedEnclave.Start(programs.Host, programs.Orchestrator, cancellation));
        await benchmark.TakePeersPlace(cancellation);
        var c = await benchmark.Relay("relay", flow, port => ["relay", port, benchmark.Socket], cancellation);
        await benchmark.Throughput(c, cancellation);
        await benchmark.Latency(c, cancellation);
        await benchmark.Idle(cancellation);
        await benchmark.Neighbour(() => LogBenchmark.Run(programs, flow, cancellation), cancellation);
        await NeighbourBenchmark.Run(programs, flow, () => benchmark.Ping($"{benchmark._enclave.IngressPort}", cancellation), cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var daemon in _daemons)
            await daemon.DisposeAsync();
        await _enclave.DisposeAsync();
        _folder.Dispose();
    }

    // EnclaveHost looks the socket up for each connection: what follows is between it and a peer that costs next to nothing.
    private async Task TakePeersPlace(CancellationToken cancellation)
    {
        File.Delete(Socket);
        await StartDaemon("peer", _flow, ["peer", Socket], () => File.Exists(Socket), cancellation);
    }

    private async Task Throughput(string c, CancellationToken cancellation)
    {
        var socat = await Relay("socat", "socat", port => ["-b", "65536", $"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=512", $"UNIX-CONNECT:{Socket}"], cancellation);
        (string Name, string Address)[] ways = [("ours", $"{_enclave.IngressPort}"), ("c", c), ("socat", socat), ("direct", Socket)];
        foreach (var streams in new[] { 1, 64 })
        {
            var rates = ways.ToDictionary(way => way.Name, _ => new List<double>(), StringComparer.Ordinal);
            for (var round = 0; round < Rounds; round++)
            {
                Figures.Step($"{streams} streams, round {round + 1} of {Rounds}");
                foreach (var (name, address) in ways)
                    rates[name].Add((await Flow(cancellation, "send", address, $"{streams}", Text(Seconds)))[0]);
            }

            double Ratio(string other) => Figures.Median([.. rates["ours"].Zip(rates[other], (ours, theirs) => ours / theirs)]);
            Figures.Print($"relay.throughput_{streams}_mb_per_second", Figures.Median(rates["ours"]) / 1e6, "MB/s", "none");
            Figures.Print($"relay.c_relay_{streams}_ratio", Ratio("c"), "", "≥ 0.9");
            Figures.Print(streams == 1 ? "relay.socat_ratio" : $"relay.socat_{streams}_ratio", Ratio("socat"), "", streams == 1 ? "≥ 1.5" : "none");
            Figures.Print($"relay.direct_{streams}_ratio", Ratio("direct"), "", "none");
        }
    }

    // What a relay in C adds says what of it is the machine's: a relay is two more wake-ups on each way.
    private async Task Latency(string c, CancellationToken cancellation)
    {
        var (p50, p99) = (new List<double>(), new List<double>());
        var (cP50, cP99) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            Figures.Step($"{PingConnections * PingsEach} requests a second, round {round + 1} of {Rounds}");
            var ours = await Ping($"{_enclave.IngressPort}", cancellation);
            var direct = await Ping(Socket, cancellation);
            p50.Add(ours[0] - direct[0]);
            p99.Add(ours[1] - direct[1]);
            var theirs = await Ping(c, cancellation);
            cP50.Add(theirs[0] - direct[0]);
            cP99.Add(theirs[1] - direct[1]);
        }

        Figures.Print("relay.added_p50_us", Figures.Median(p50), "µs", "≤ 100");
        Figures.Print("relay.added_p99_us", Figures.Median(p99), "µs", "≤ 300");
        Figures.Print("relay.c_added_p50_us", Figures.Median(cP50), "µs", "none");
        Figures.Print("relay.c_added_p99_us", Figures.Median(cP99), "µs", "none");
    }

    // Requests through this enclave while another one on the same processors floods its log.
    private async Task Neighbour(Func<Task> flood, CancellationToken cancellation)
    {
        var alone = await Ping($"{_enclave.IngressPort}", cancellation);
        var flooding = flood();
        await Task.Delay(IntoFlood, cancellation);
        var beside = await Ping($"{_enclave.IngressPort}", cancellation);
        await flooding;
        Figures.Print("relay.p50_alone_us", alone[0], "µs", "none");
        Figures.Print("relay.p50_beside_flood_us", beside[0], "µs", "none");
        Figures.Print("relay.p99_alone_us", alone[1], "µs", "none");
        Figures.Print("relay.p99_beside_flood_us", beside[1], "µs", "none");
    }

    // Memory of EnclaveHost alone; the kernel's own for the sockets is not in it. Each connection takes two of its descriptors: where a
    // process may not have as many, what the connections add is scaled up.
    private async Task Idle(CancellationToken cancellation)
    {
        var before = _enclave.Host.ResidentKib();
        var count = Math.Min(IdleConnections, (int)Math.Min(int.MaxValue, (ProcessFacts.OpenFiles(_enclave.Host.Id) - 300) / 2));
        Figures.Step($"{count} idle connections");
        var open = new List<ClientSocket>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var socket = new ClientSocket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                open.Add(socket);
                await socket.ConnectAsync(IPAddress.Loopback, _enclave.IngressPort, cancellation);
            }

            // Each has been relayed once it has said something and heard it again.
            foreach (var socket in open)
                await Echo(socket, cancellation);
            var added = (_enclave.Host.ResidentKib() - before) * (IdleConnections / (double)count);
            Figures.Print("relay.idle_10000_mb", (before + added) / 1024.0, "MB", "≤ 100");
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }
    }

    // 'e' asks the peer of flow.c to send back what it gets.
    private static async Task Echo(ClientSocket socket, CancellationToken cancellation)
    {
        var request = new byte[65];
        request[0] = (byte)'e';
        await socket.SendAsync(request, cancellation);
        for (var received = 0; received < 64;)
            received += await socket.ReceiveAsync(request.AsMemory(received), cancellation) is > 0 and var count ? count : throw new IOException("an idle connection was closed");
    }

    private Task<double[]> Ping(string address, CancellationToken cancellation) => Flow(cancellation, "ping", address, $"{PingConnections}", $"{PingsEach}", Text(Seconds));

    private async Task<string> Relay(string name, string program, Func<string, string[]> arguments, CancellationToken cancellation)
    {
        var port = $"{ContainerProgram.Ports.Next()}";
        await StartDaemon(name, program, arguments(port), () => IsListening(port), cancellation);
        return port;
    }

    private async Task StartDaemon(string name, string program, string[] arguments, Func<bool> isReady, CancellationToken cancellation)
    {
        var daemon = await Daemon.Start(_folder.Path, name, program, arguments);
        _daemons.Add(daemon);
        await daemon.Until("listening", () => Task.FromResult(isReady()), cancellation);
    }

    // Without a connection to it, which some of them would count. 0A is LISTEN (Linux, include/net/tcp_states.h).
    private static bool IsListening(string port) => File.ReadLines("/proc/net/tcp").Any(line =>
        line.Contains(string.Create(CultureInfo.InvariantCulture, $"0100007F:{int.Parse(port, CultureInfo.InvariantCulture):X4} 00000000:0000 0A"), StringComparison.Ordinal));

    private async Task<double[]> Flow(CancellationToken cancellation, params string[] arguments)
    {
        var output = await ProgramOutput.Read(_flow, arguments, cancellation);
        return [.. output.Split(' ', StringSplitOptions.TrimEntries).Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
