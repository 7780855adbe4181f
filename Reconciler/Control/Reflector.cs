namespace Enclaves.Reconciler.Control;

/// <summary>How often a watch was opened anew in the life of the process.</summary>
/// <param name="Ended">After the server had ended it in good order, as it does every few minutes.</param>
/// <param name="Expired">With a new list, since its version was no longer to be had.</param>
/// <param name="Interrupted">After whatever else: refused, cut, hung.</param>
internal readonly record struct WatchRestarts(long Ended, long Expired, long Interrupted);

/// <summary>
/// Keeps a store equal to what the API server has, for one kind of object: lists once, then watches, and lists again only when it must.
/// Owns the connection and the resource version; never ends before it is cancelled.
/// </summary>
/// <remarks>
/// The rules are client-go's: the first list may be served from the server's cache; each event and bookmark advances the version; an
/// expired version means a new list, and deletions that were missed are found by difference; an overloaded or absent server means
/// waiting, not listing. A watch that the server should have ended and did not is cut by a watchdog of our own, since a connection can
/// hang without either side noticing.
/// </remarks>
internal sealed partial class Reflector<T>(
    IWatchSource<T> source,
    ObjectStore<T> store,
    TimeProvider time,
    ILogger logger,
    Func<double>? random = null)
    where T : class, IStored
{
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan WatchdogMargin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan TooShort = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromMinutes(2);

    private readonly Func<double> _random = random ?? Random.Shared.NextDouble;
    private readonly BackOff _backOff = new(TimeSpan.FromMilliseconds(800), TimeSpan.FromSeconds(30), random);
    private long _lastSign = time.GetTimestamp();
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _version;
    private bool _mustList = true;
    private int _failures;
    private long _ended;
    private long _expired;
    private long _interrupted;

    /// <summary>Completes when the store holds a first whole list.</summary>
    public Task Synced => _synced.Task;

    /// <summary>What is reflected, for messages.</summary>
    public string Name => source.Name;

    /// <summary>How long the server has told nothing: no list, no event, no bookmark, no orderly end. A quiet watch ends at the latest after ten minutes.</summary>
    public TimeSpan SinceLastSign => time.GetElapsedTime(Volatile.Read(ref _lastSign));

    /// <summary>Why watches were opened anew, and how often.</summary>
    public WatchRestarts Restarts => new(Volatile.Read(ref _ended), Volatile.Read(ref _expired), Volatile.Read(ref _interrupted));

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            var asked = TimeSpan.Zero;
            try
            {
                if (_mustList)
                    await ListAsync(cancellation);
                await WatchAsync(cancellation);
                Sign();
                _failures = 0;
                Interlocked.Increment(ref _ended);
                continue;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (ResourceVersionUnavailableException unavailable)
            {
                LogExpired(logger, source.Name, unavailable.Message);
                Interlocked.Increment(ref _expired);
                _mustList = true;
                ForgetOldFailures(started);
                // The first new list is due at once; a server that keeps refusing is given time.
                if (_failures++ == 0)
                    continue;
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                // Whatever it was (refused, overloaded, cut in the middle of a line), the stream is resumed from the last version.
                ForgetOldFailures(started);
                asked = (failure as IRetryLater)?.RetryAfter ?? TimeSpan.Zero;
                LogInterrupted(logger, source.Name, failure.Message, _failures);
                Interlocked.Increment(ref _interrupted);
                _failures++;
            }

            var pause = _backOff.Delay(_failures - 1);
            await Task.Delay(asked > pause ? asked : pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListAsync(CancellationToken cancellation)
    {
        ListResult<T> list;
        try
        {
            // Not older than what is known already: an API server with a stale cache must not take the store back in time.
            list = await source.ListAsync(_version ?? "0", cancellation);
        }
        catch (ResourceVersionUnavailableException)
        {
            list = await source.ListAsync("", cancellation);
        }

        RequireVersion(list.ResourceVersion, "a list");
        store.Replace(list.Items);
        _version = list.ResourceVersion;
        Sign();
        _mustList = false;
        LogListed(logger, source.Name, list.Items.Count, list.ResourceVersion);
        _synced.TrySetResult();
    }

    private async Task WatchAsync(CancellationToken cancellation)
    {
        // Spread over five minutes, so that many watches opened together do not end together.
        var timeout = ShortestWatch * (1 + _random());
        using var watchdog = new CancellationTokenSource(timeout + WatchdogMargin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, watchdog.Token);
        var started = time.GetTimestamp();
        var events = 0;
        try
        {
            await foreach (var received in source.WatchAsync(_version!, timeout, either.Token))
            {
                events++;
                Take(received);
            }
        }
        catch (OperationCanceledException) when (watchdog.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"the watch did not end by itself within {timeout + WatchdogMargin}; the connection hangs");
        }

        if (events == 0 && time.GetElapsedTime(started) < TooShort)
            throw new IOException("the watch ended at once and without an event");
    }

    // What cannot be right is not taken, and the watch is resumed from before it.
    private void Take(WatchEvent<T> received)
    {
        RequireVersion(received.ResourceVersion, $"an event of kind {received.Kind}");
        switch (received.Kind)
        {
            case WatchEventKind.Present:
                store.Put(received.Item!);
                break;
            case WatchEventKind.Deleted:
                store.Remove(received.Item!.Key);
                break;
        }

        _version = received.ResourceVersion;
        Sign();
    }

    // An empty version would ask for all there is in any order, and "0" for whatever a cache may hold.
    private static void RequireVersion(string version, string of)
    {
        if (version is "" or "0")
            throw new InvalidDataException($"the version of {of} is '{version}'");
    }

    private void Sign() => Volatile.Write(ref _lastSign, time.GetTimestamp());

    private void ForgetOldFailures(long started)
    {
        if (time.GetElapsedTime(started) > HealthyAfter)
            _failures = 0;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind}: listed {Count} objects at version {Version}")]
    private static partial void LogListed(ILogger logger, string kind, int count, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Kind}: listing again, the version is not available: {Reason}")]
    private static partial void LogExpired(ILogger logger, string kind, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Kind}: the watch was interrupted ({Reason}); resuming, failure {Failures} in a row")]
    private static partial void LogInterrupted(ILogger logger, string kind, string reason, int failures);
}
