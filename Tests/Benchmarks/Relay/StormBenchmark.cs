using System.Net.Sockets;
using Enclaves.Channel;
using Enclaves.Channel.Egress;
using Enclaves.Tests.Benchmarks.Boot;
using ClientSocket = System.Net.Sockets.Socket;

namespace Enclaves.Tests.Benchmarks.Relay;

/// <summary>
/// An enclave that storms its host, beside a neighbour: with outbound connections that are refused, with ones that never say what they want, and with ones
/// that are closed at once. (Statuses cannot storm: EnclaveHost asks for them.) What comes from inside the enclave is played here, on its host-side socket.
/// </summary>
internal sealed class StormBenchmark(StartedEnclave enclave)
{
    // The process driver's.
    private const uint Cid = 16;
    private const int Askers = 16;
    private const int Silent = 1000;

    // Each asker pauses, or it would be the load of the askers themselves that is measured.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private long _asked;

    /// <summary>Runs a measurement without and beside a storm, and prints both.</summary>
    /// <param name="ping">Measures p50 and p99 of the neighbour, in µs.</param>
    /// <param name="cancellation">Ends it early.</param>
    public async Task Run(Func<Task<double[]>> ping, CancellationToken cancellation)
    {
        var alone = await ping();
        Figures.Print("relay.storm_neighbour_alone_p50_us", alone[0], "µs", "none");
        Figures.Print("relay.storm_neighbour_alone_p99_us", alone[1], "µs", "none");
        await Beside("refused", ping, RefusedAsync, cancellation);
        await Beside("closed", ping, CloseAsync, cancellation);
        await BesideSilent(ping, cancellation);
        Figures.Print("relay.storm_enclavehost_mb", enclave.Host.ResidentKib() / 1024.0, "MB", "≤ 100");
    }

    private async Task Beside(string kind, Func<Task<double[]>> ping, Func<CancellationToken, Task> one, CancellationToken cancellation)
    {
        Figures.Step($"a storm of connections that are {kind}, beside a neighbour");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _asked = 0;
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var askers = Enumerable.Range(0, Askers).Select(_ => Task.Run(() => AskAsync(one, end.Token), cancellation)).ToList();
        var beside = await ping();
        var rate = Interlocked.Read(ref _asked) / watch.Elapsed.TotalSeconds;
        await end.CancelAsync();
        await Task.WhenAll(askers);
        Figures.Print($"relay.storm_{kind}_per_second", rate, "", "none");
        Print(kind, beside);
    }

    private async Task AskAsync(Func<CancellationToken, Task> one, CancellationToken end)
    {
        try
        {
            while (true)
            {
                await one(end);
                Interlocked.Increment(ref _asked);
                await Task.Delay(Pause, end);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The neighbour has been measured.
        }
    }

    private async Task RefusedAsync(CancellationToken cancellation)
    {
        using var socket = await ConnectAsync(cancellation);
        try
        {
            await EgressHandshake.RequestAsync(socket, new EgressRequest("not-listed.example", 443, "local"), cancellation);
            throw new InvalidOperationException("a destination was let through that the manifest does not list");
        }
        catch (EgressRefusedException)
        {
            // As it must be.
        }
    }

    private async Task CloseAsync(CancellationToken cancellation) => (await ConnectAsync(cancellation)).Dispose();

    private async Task BesideSilent(Func<Task<double[]>> ping, CancellationToken cancellation)
    {
        Figures.Step($"{Silent} connections that say nothing, beside a neighbour");
        var open = new List<ClientSocket>();
        try
        {
            for (var number = 0; number < Silent; number++)
                open.Add(await ConnectAsync(cancellation));
            Print("silent", await ping());
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }
    }

    private async Task<ClientSocket> ConnectAsync(CancellationToken cancellation)
    {
        var socket = new ClientSocket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            while (true)
            {
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(enclave.HostSocket(EnclavePorts.Egress(Cid))), cancellation);
                    return socket;
                }
                catch (SocketException full) when (full.SocketErrorCode is SocketError.WouldBlock)
                {
                    // Its backlog is full for a moment.
                    await Task.Delay(Pause, cancellation);
                }
            }
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void Print(string kind, double[] beside)
    {
        Figures.Print($"relay.storm_neighbour_beside_{kind}_p50_us", beside[0], "µs", "none");
        Figures.Print($"relay.storm_neighbour_beside_{kind}_p99_us", beside[1], "µs", "none");
    }
}
