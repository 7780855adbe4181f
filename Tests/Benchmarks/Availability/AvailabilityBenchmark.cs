namespace Enclaves.Tests.Benchmarks.Availability;

/// <summary>Counts the reviews that fail while the Webhook's certificate is rotated, and while its pods are replaced one after the other.</summary>
internal static class AvailabilityBenchmark
{
    private const int Rate = 500;

    // Beyond it something is wrong. A kubelet takes up to two minutes to bring a Secret into a pod.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    /// <summary>Runs both.</summary>
    public static async Task Run(string kubeconfig, CancellationToken cancellation)
    {
        using var installed = new Installed(kubeconfig);
        Figures.Step("rotating the certificate (about two minutes)");
        await During("admission.failed_during_rotation", installed, installed.Rotate, cancellation);
        Figures.Step("restarting the Webhook's pods (about a minute)");
        await During("admission.failed_during_restart", installed, installed.Restart, cancellation);
    }

    private static async Task During(string figure, Installed installed, Func<CancellationToken, Task> change, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Limit);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        using var load = new SteadyLoad(installed, await installed.ServiceAddress(limit.Token));
        var running = Task.Run(() => load.Run(Rate, stop.Token), CancellationToken.None);
        try
        {
            await Task.Delay(Margin, limit.Token);
            await change(limit.Token);
            await Task.Delay(Margin, limit.Token);
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }

        var (sent, failures) = await running;
        foreach (var (reason, count) in failures)
            Figures.Step($"{count} × {reason}");
        Figures.Step($"of {sent} reviews, {Rate} a second");
        Figures.Print(figure, failures.Values.Sum(), "reviews", "0");
    }
}
