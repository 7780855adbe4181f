using System.Diagnostics;
using System.Net.ServerSentEvents;

namespace Enclaves.Tests.Benchmarks.Rest;

/// <summary>How long a change takes to the last of 200 streams of changes, each on a TLS connection of its own.</summary>
internal static class StreamBench
{
    private const int Streams = 200;
    private const int Changes = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Measures.</summary>
    public static async Task Run(CancellationToken cancellation)
    {
        Figures.Step($"telling {Streams} streams of changes");
        await using var stand = await RestStand.Start(100, cancellation);
        using var ready = new CountdownEvent(Streams);
        var heard = new long[Changes][];
        for (var change = 0; change < Changes; change++)
            heard[change] = new long[Streams];
        using var told = new CountdownEvent(Streams * Changes);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var clients = new List<HttpClient>();
        var readers = new List<Task>();
        for (var stream = 0; stream < Streams; stream++)
        {
            var number = stream;
            var client = stand.Client();
            clients.Add(client);
            readers.Add(Read(client, ready, change =>
            {
                heard[change][number] = Stopwatch.GetTimestamp();
                told.Signal();
            }, end.Token));
        }

        await Task.Run(() => ready.Wait(TimeSpan.FromMinutes(1), cancellation), cancellation);
        var began = new long[Changes];
        for (var change = 0; change < Changes; change++)
        {
            began[change] = Stopwatch.GetTimestamp();
            stand.Put(change);
            await Task.Delay(Pause, cancellation);
        }

        if (!await Task.Run(() => told.Wait(TimeSpan.FromMinutes(1), cancellation), cancellation))
            throw new TimeoutException($"{told.CurrentCount} of {Streams * Changes} events did not come within a minute");
        await end.CancelAsync();
        await Task.WhenAll(readers);
        clients.ForEach(client => client.Dispose());
        var last = Enumerable.Range(0, Changes).Select(change => Stopwatch.GetElapsedTime(began[change], heard[change].Max()).TotalMilliseconds).ToList();
        Figures.Print("rest.sse_fanout_ms", Figures.Median(last), "ms", "≤ 200");
        Figures.Print("rest.sse_fanout_worst_ms", last.Max(), "ms", "printed beside");
    }

    private static async Task Read(HttpClient client, CountdownEvent ready, Action<int> heard, CancellationToken cancellation)
    {
        try
        {
            using var reply = await client.GetAsync(new Uri("api/v1/watch", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellation);
            reply.EnsureSuccessStatusCode();
            await using var body = await reply.Content.ReadAsStreamAsync(cancellation);
            var change = -1;
            await foreach (var item in SseParser.Create(body, (_, _) => "").EnumerateAsync(cancellation))
            {
                if (item.EventType == "synced")
                {
                    change = 0;
                    ready.Signal();
                }
                else if (item.EventType == "put" && change >= 0)
                {
                    heard(change++);
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // All has been heard.
        }
    }
}
