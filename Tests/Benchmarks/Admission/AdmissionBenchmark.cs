using Enclaves.Webhook.Serving;
using Enclaves.Webhook.Validation;

namespace Enclaves.Tests.Benchmarks.Admission;

/// <summary>
/// Measures admission on the loopback. The Webhook and the endpoint that allows everything are measured in turns, so that what else
/// the machine does hits both, and of several rounds the median counts.
/// </summary>
internal static class AdmissionBenchmark
{
    // HttpClient needs a few requests in flight to keep two cores busy; more of them only wait.
    private const int Connections = 8;
    private const int Rate = 1000;
    private const int Starts = 3;
    private const int Rounds = 3;

    // An open loop makes connections while answers are late; these are enough for a pause of 60 ms.
    private const int PacedConnections = 64;

    // Until all that is hot is compiled with optimisation, for which the compiler competes with the load.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PacedTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(4);

    // Every kubectl apply costs one of each.
    private static readonly string[] Paths = [AdmissionPoint.MutateNed.Path, AdmissionPoint.ValidateNed(new ImagePolicy()).Path];
    private static readonly string[] AnyPath = ["/allow"];

    /// <summary>Runs everything.</summary>
    public static async Task Run(CancellationToken cancellation)
    {
        Figures.Step($"the sample is a NED of {SampleReview.NedBytes} bytes in a review of {SampleReview.Body.Length}");
        Figures.Print("admission.mutate_allocated_kb", Allocations.KilobytesOf(AdmissionPoint.MutateNed), "KB", "≤ 10");
        Figures.Print("admission.validate_allocated_kb", Allocations.KilobytesOf(AdmissionPoint.ValidateNed(new ImagePolicy())), "KB", "≤ 48");
        using var files = await CertificateFolder.Create();
        await using var allowAll = await ServerProcess.AllowAll(files, null, cancellation);
        using var baseline = new LoadGenerator(files, allowAll.Port, Connections);
        // Before anything is timed, the load generator itself is compiled.
        await baseline.Flood(AnyPath, WarmUp, cancellation);
        await FirstReview(files, cancellation);
        await Handler(files, cancellation);
        await Throughput(files, baseline, cancellation);
    }

    private static async Task FirstReview(CertificateFolder files, CancellationToken cancellation)
    {
        var times = new List<double>();
        for (var i = 0; i < Starts; i++)
        {
            Figures.Step($"start {i + 1} of {Starts}");
            await using var webhook = await ServerProcess.Webhook(files, null, cancellation);
            using var load = new LoadGenerator(files, webhook.Port, 1);
            // Handshake included: the first review of an API server makes a connection too.
            times.Add((await load.Send(Paths[i % Paths.Length], cancellation)).TotalMilliseconds);
        }

        Figures.Print("admission.first_review_ms", Median(times), "ms", "≤ 20");
    }

    private static async Task Handler(CertificateFolder files, CancellationToken cancellation)
    {
        var (p50, p99) = await HandlerTimesOf(files, Paths, times => ServerProcess.AllowAll(files, times, cancellation), cancellation);
        Figures.Step($"allow-all takes {p50:G3} ms, at the 99th percentile {p99:G3}: what the machine does to a handler that does nothing");
        (p50, p99) = await HandlerTimesOf(files, Paths, times => ServerProcess.Webhook(files, times, cancellation), cancellation);
        Figures.Print("admission.handler_p50_ms", p50, "ms", "≤ 0.1");
        Figures.Print("admission.handler_p99_ms", p99, "ms", "≤ 1");
    }

    private static async Task<(double P50, double P99)> HandlerTimesOf(
        CertificateFolder files, string[] paths, Func<string, Task<ServerProcess>> start, CancellationToken cancellation)
    {
        var timesFile = Path.Combine(files.Folder, "times");
        var count = (int)(Rate * PacedTime.TotalSeconds);
        await using var server = await start(timesFile);
        using (var load = new LoadGenerator(files, server.Port, PacedConnections))
        {
            Figures.Step($"warming up, then {Rate} reviews a second for {PacedTime.TotalSeconds} s");
            await load.Flood(paths, WarmUp, cancellation);
            await load.Pace(paths, Rate, count, cancellation);
        }

        await server.Stop();
        // In the order of the answers: the paced ones are the last.
        var times = HandlerTimes.Read(timesFile)[^count..];
        Array.Sort(times);
        return (times[count / 2], times[count * 99 / 100]);
    }

    private static async Task Throughput(CertificateFolder files, LoadGenerator baseline, CancellationToken cancellation)
    {
        await using var webhook = await ServerProcess.Webhook(files, null, cancellation);
        using var load = new LoadGenerator(files, webhook.Port, Connections);
        Figures.Step("warming the webhook up");
        await load.Flood(Paths, WarmUp, cancellation);
        var (rates, ratios) = (new List<double>(), new List<double>());
        for (var i = 0; i < Rounds; i++)
        {
            var rate = await load.Flood(Paths, Round, cancellation);
            var allowAll = await baseline.Flood(AnyPath, Round, cancellation);
            Figures.Step($"round {i + 1} of {Rounds}: {rate:F0} reviews/s, allow-all {allowAll:F0}/s");
            rates.Add(rate);
            ratios.Add(rate / allowAll);
        }

        Figures.Print("admission.reviews_per_second", Median(rates), "/s", "≥ 15000");
        Figures.Print("admission.allow_all_ratio", Median(ratios), "", "≥ 0.5");
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
