namespace Enclaves.Webhook.Serving;

/// <summary>
/// SIGTERM: readiness fails at once, but API servers keep their connections to a pod that terminates for a while. So serving goes
/// on for the drain time, with "Connection: close" on every answer, and only then the server stops.
/// </summary>
internal sealed partial class Draining(TimeSpan drain, TimeProvider time, ILogger<Draining> logger) : IHostedLifecycleService
{
    private volatile bool _isDraining;

    /// <summary>Whether the end has begun.</summary>
    public bool IsDraining => _isDraining;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _isDraining = true;
        Started(drain.TotalSeconds);
        await Task.Delay(drain, time, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(LogLevel.Information, "Stopping: not ready any more, still serving for {Seconds} s")]
    private partial void Started(double seconds);
}
