namespace Enclaves.Reconciler.Rest.Streaming;

/// <summary>Answers that last as long as their readers like, and no longer than these have their rights.</summary>
internal sealed class LongAnswers(TimeProvider time, IHostApplicationLifetime lifetime)
{
    // With what the answers of the API server are kept for, well within a minute of a token's revocation.
    private static readonly TimeSpan RightsInterval = TimeSpan.FromSeconds(20);

    /// <summary>Gives one until it is whole, its reader goes away or may read it no longer, or this process stops.</summary>
    /// <param name="context">The request.</param>
    /// <param name="mayStill">Whether the reader has its rights still.</param>
    /// <param name="give">Gives the answer.</param>
    public async Task GiveAsync(HttpContext context, Func<CancellationToken, Task<bool>> mayStill, Func<CancellationToken, Task> give)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var watch = EndWithRightsAsync(mayStill, end);
        try
        {
            await give(end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // What was sent up to here is right; the connection of a reader that was in the middle of it is closed.
        }
        finally
        {
            await end.CancelAsync();
            await watch;
        }
    }

    // Beside the answer: a reader that does not read would hold up the look, too.
    private async Task EndWithRightsAsync(Func<CancellationToken, Task<bool>> mayStill, CancellationTokenSource end)
    {
        try
        {
            using var timer = new PeriodicTimer(RightsInterval, time);
            while (await timer.WaitForNextTickAsync(end.Token) && await mayStill(end.Token))
            {
                // It goes on.
            }
        }
        catch (Exception)
        {
            // The answer has ended, or nobody can be asked: whoever cannot be asked about is not let on.
        }

        await end.CancelAsync();
    }
}
