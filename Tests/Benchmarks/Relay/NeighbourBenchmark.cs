using System.Diagnostics;
using System.Globalization;
using Enclaves.Channel;
using Enclaves.Channel.Egress;

namespace Enclaves.Tests.Benchmarks.Relay;

/// <summary>
/// Requests through one enclave while another one beside it storms its own EnclaveHost: with connections that are refused, opened and closed,
/// or never say what they want, and with statuses that never end. All of a storm runs on the processors that the requests need too, its
/// maker included, which in a Nitro Enclave would have processors of its own.
/// </summary>
internal static class NeighbourBenchmark
{
    private const int Rounds = 3;
    private const int Makers = 4;

    // More than a relay takes.
    private const int HalfOpen = 17_000;

    private const string Refused = "enclave_relay_refused_total{relay=\"egress\"}";

    // One that the manifest does not list.
    private static readonly EgressRequest Unlisted = new("unlisted.example", 443, "app");

    /// <summary>Runs it.</summary>
    /// <param name="programs">EnclaveHost and Orchestrator, native.</param>
    /// <param name="flow">The program of flow.c, which makes connections.</param>
    /// <param name="ping">Requests through the neighbour; p50 and p99 of their times in microseconds.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async Task Run((string Host, string Orchestrator) programs, string flow, Func<Task<double[]>> ping, CancellationToken cancellation)
    {
        string[] Connections(string kind, int count, params string[] line) => [flow, kind, StormingEnclave.Egress, Text(count), .. line];
        (string Name, string Orchestrator, string[] Command, string Counter)[] storms =
        [
            ("refused_egress", programs.Orchestrator, Connections("ask", Makers, Unlisted.Format().TrimEnd('\n')), Refused),
            ("opened_and_closed", programs.Orchestrator, Connections("ask", Makers), Refused),
            ("half_open", programs.Orchestrator, Connections("hold", HalfOpen), Refused),
            ("statuses", Environment.ProcessPath!, ["none"], StatusStorm.Counter),
        ];
        foreach (var (name, orchestrator, command, counter) in storms)
        {
            var alone = await Pings(ping, $"alone, before {name}");
            await using var storm = await StormingEnclave.Start(programs.Host, orchestrator, command, counter, cancellation);
            var (before, cpu, watch) = (await storm.Count(counter, cancellation), storm.Host.CpuTime(), Stopwatch.StartNew());
            var beside = await Pings(ping, $"beside {name}");
            var seconds = watch.Elapsed.TotalSeconds;
            Figures.Print($"relay.{name}_p50_alone_us", alone.P50, "µs", "none");
            Figures.Print($"relay.{name}_p50_beside_us", beside.P50, "µs", "none");
            Figures.Print($"relay.{name}_p99_alone_us", alone.P99, "µs", "none");
            Figures.Print($"relay.{name}_p99_beside_us", beside.P99, "µs", "none");
            Figures.Print($"relay.{name}_per_second", (await storm.Count(counter, cancellation) - before) / seconds, "1/s", "none");
            Figures.Print($"relay.{name}_enclavehost_cpu_percent", 100 * (storm.Host.CpuTime() - cpu).TotalSeconds / seconds, "%", "none");
            Figures.Print($"relay.{name}_enclavehost_peak_mb", storm.Host.PeakKib() / 1024.0, "MB", "none");
        }
    }

    private static async Task<(double P50, double P99)> Pings(Func<Task<double[]>> ping, string what)
    {
        var rounds = new List<double[]>();
        for (var round = 0; round < Rounds; round++)
        {
            Figures.Step($"requests {what}, round {round + 1} of {Rounds}");
            rounds.Add(await ping());
        }

        return (Figures.Median([.. rounds.Select(times => times[0])]), Figures.Median([.. rounds.Select(times => times[1])]));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
