using System.Diagnostics;

namespace Enclaves.Tests.Benchmarks.Rest;

/// <summary>Lists of 1,000 NEDs, over TLS, with authorisation cached; whoever asks for them runs in the same process and shares its processors.</summary>
internal static class ListBench
{
    private const int Neds = 1000;
    private const int Warmup = 300;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(10);

    /// <summary>Measures.</summary>
    public static async Task Run(CancellationToken cancellation)
    {
        Figures.Step($"listing {Neds} NEDs again and again");
        await using var stand = await RestStand.Start(Neds, cancellation);
        await Load(stand, 2, Warmup, TimeSpan.MaxValue, cancellation);
        var alone = await Load(stand, 1, int.MaxValue, Time, cancellation);
        Figures.Print("rest.list_1000_p50_ms", alone.ElementAt(alone.Count / 2), "ms", "printed beside the next");
        Figures.Print("rest.list_1000_p99_ms", alone.ElementAt(alone.Count * 99 / 100), "ms", "≤ 20");
        var many = await Load(stand, 8, int.MaxValue, Time, cancellation);
        Figures.Print("rest.list_per_second", many.Count / Time.TotalSeconds, "", "≥ 500");
        Figures.Print("rest.list_p99_under_that_load_ms", many.ElementAt(many.Count * 99 / 100), "ms", "printed beside");
    }

    // Milliseconds of each request, in order.
    private static async Task<IReadOnlyCollection<double>> Load(RestStand stand, int clients, int most, TimeSpan time, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var all = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            using var client = stand.Client();
            var buffer = new byte[128 * 1024];
            var taken = new List<double>();
            while (taken.Count < most && clock.Elapsed < time)
            {
                var began = Stopwatch.GetTimestamp();
                using var reply = await client.GetAsync(new Uri("api/v1/nitroenclavedeployments", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellation);
                reply.EnsureSuccessStatusCode();
                await using var body = await reply.Content.ReadAsStreamAsync(cancellation);
                while (await body.ReadAsync(buffer, cancellation) > 0)
                {
                    // What it says has been compared elsewhere.
                }

                taken.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            return taken;
        }, cancellation)));
        return [.. all.SelectMany(taken => taken).Order()];
    }
}
