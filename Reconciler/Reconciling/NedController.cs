using System.Diagnostics;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Leadership;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>
/// Keeps the stores up to date, turns each change into the key of the NED it concerns, and works the keys. From time to time it looks at all
/// of them again, as the net under whatever was missed. An unforeseen end of any of its loops ends the process, which comes back with a
/// clean state.
/// </summary>
internal sealed partial class NedController : BackgroundService
{
    // Five times client-go's: what has failed together in an outage is to be back within a minute or two, for thousands of NEDs too.
    private const double RetriesPerSecond = 50;
    private const int RetriesAtOnce = 500;

    private static readonly Func<ILogger, ObjectKey, string, IDisposable?> Scope = LoggerMessage.DefineScope<ObjectKey, string>("ned {Ned}, pass {ReconcileId}");

    private readonly ClusterStores _stores;
    private readonly ReferencedConfigMaps _configMaps;
    private readonly NedReconciler _reconciler;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ReconcilerSettings _settings;
    private readonly ReconcilerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Task _elected;
    private readonly ILogger<NedController> _logger;
    private readonly List<Reflector<LiveObject>> _reflectors;

    public NedController(
        ApiServer server, ClusterStores stores, ReferencedConfigMaps configMaps, NedReconciler reconciler, PodFindings findings, SweepFindings swept,
        ReconcilerSettings settings,
        ReconcilerMetrics metrics, TimeProvider time, ILogger<NedController> logger, LeaderElector? elector = null)
    {
        _stores = stores;
        _configMaps = configMaps;
        _reconciler = reconciler;
        _settings = settings;
        _metrics = metrics;
        _time = time;
        _elected = elector?.Elected ?? Task.CompletedTask;
        _logger = logger;
        _queue = new WorkQueue<ObjectKey>(
            time, new BackOff(TimeSpan.FromMilliseconds(200), TimeSpan.FromMinutes(1)), new TokenBucket(time, RetriesPerSecond, RetriesAtOnce));
        const string ours = $"{NedLabels.ManagedBy}={NedLabels.ManagedByValue}";
        Reflector<LiveObject> Reflect(ResourceKind kind, ObjectStore<LiveObject> store, string? selector = ours) =>
            new(new ApiWatchSource(server, kind, settings.Namespace, selector), store, time, logger);
        _reflectors =
        [
            Reflect(NedKind.Resource, stores.Neds, null),
            Reflect(ResourceKind.ConfigMap, stores.ConfigMaps, null),
            Reflect(ResourceKind.Deployment, stores.Deployments),
            Reflect(ResourceKind.Service, stores.Services),
            Reflect(ResourceKind.ReplicaSet, stores.ReplicaSets),
            Reflect(ResourceKind.Pod, stores.Pods),
        ];
        if (settings.Rest is not null)
        {
            _reflectors.Add(new(
                new ApiWatchSource(server, ResourceKind.Event, settings.Namespace, fieldSelector: $"involvedObject.kind={NedNames.Kind}"), stores.NedEvents, time, logger));
        }

        // These two are of no namespace: whoever works in one may not have the right to them.
        if (string.IsNullOrEmpty(settings.Namespace))
        {
            _reflectors.Add(Reflect(ResourceKind.Namespace, stores.Namespaces, null));
            _reflectors.Add(Reflect(ResourceKind.Node, stores.Nodes, null));
        }

        Subscribe();
        findings.Changed += ned => _queue.Add(ned);
        swept.Changed += ned => _queue.Add(ned);
        metrics.Observe(() => _queue.Length, () => stores.Neds.Count, () => _elected.IsCompletedSuccessfully,
            () => _reflectors.Select(reflector => (reflector.Name, reflector.SinceLastSign, reflector.Restarts)));
    }

    /// <summary>Whether every store holds a first whole list.</summary>
    public bool IsSynced => _reflectors.TrueForAll(reflector => reflector.Synced.IsCompletedSuccessfully);

    /// <summary>Completes when every store holds a first whole list.</summary>
    public Task Synced => Task.WhenAll(_reflectors.Select(reflector => reflector.Synced));

    /// <summary>The kinds that have no first list yet, for /readyz.</summary>
    public IEnumerable<string> Unsynced => _reflectors.Where(reflector => !reflector.Synced.IsCompletedSuccessfully).Select(reflector => reflector.Name);

    /// <summary>Asks for a look at every NED, behind all that has changed. Where nothing is to do, that asks the API server nothing.</summary>
    /// <returns>How many there are.</returns>
    public int Resync()
    {
        var neds = _stores.Neds.All;
        foreach (var ned in neds)
            LookWhenIdle(ned.Key);
        LogResync(_logger, neds.Count);
        return neds.Count;
    }

    /// <summary>Asks for a look at one NED, behind all that has changed.</summary>
    public void LookWhenIdle(ObjectKey ned) => _queue.Add(ned, Priority.Low);

    /// <summary>Asks for a look at one NED as soon as a worker is free, however long a pause its failures have earned.</summary>
    public void LookNow(ObjectKey ned)
    {
        _queue.Forget(ned);
        _queue.Add(ned);
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _queue.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var loops = _reflectors.ConvertAll(reflector => reflector.RunAsync(stoppingToken));
        loops.Add(WorkWhenSyncedAsync(stoppingToken));
        // The first to end in an error ends the service, and with it the process.
        await foreach (var ended in Task.WhenEach(loops))
            await ended;
    }

    private void Subscribe()
    {
        // Our own status coming back asks for nothing; it would take away the pause that a failing pass has earned.
        _stores.Neds.Changed += change =>
        {
            if (!_reconciler.IsEcho(change))
                Add((change.After ?? change.Before)!.Key, change);
        };
        foreach (var store in new[] { _stores.ConfigMaps, _stores.Deployments, _stores.Services })
        {
            store.Changed += change =>
            {
                AddOwner(change.Before, change);
                AddOwner(change.After, change);
            };
        }

        _stores.ConfigMaps.Changed += change =>
        {
            foreach (var ned in _configMaps.UsersOf((change.After ?? change.Before)!.Key))
                Add(ned, change);
        };
        _stores.ReplicaSets.Changed += change =>
        {
            // Only a ReplicaSet that is gone matters: its manifest may be unused now.
            if (change.After is null)
                AddLabelled(change);
        };
        _stores.Pods.Changed += change =>
        {
            // Of a pod that starts there are many changes; only what keeps it from being ready goes into the status.
            if (PodTrouble.Of(change.Before is { } before ? [before] : []) != PodTrouble.Of(change.After is { } after ? [after] : []))
                AddLabelled(change);
        };
        _stores.Nodes.Changed += change =>
        {
            // Of a node there is news every few minutes; what it can hold changes hardly ever.
            string? Holds(LiveObject? node) => node?.At("status", "allocatable")?.GetRawText();
            if (Holds(change.Before) == Holds(change.After))
                return;
            foreach (var pod in _stores.Pods.All.Where(pod => pod.Condition("PodScheduled") is { Status: "False" }))
                AddLabelled(new StoreChange<LiveObject>(null, pod, change.IsListed));
        };
        _stores.Namespaces.Changed += change =>
        {
            string? Label(LiveObject? space) => space?.TextAt("metadata", "labels", NedReconciler.IgnoreLabel);
            if (Label(change.Before) == Label(change.After))
                return;
            foreach (var ned in _stores.Neds.All.Where(ned => ned.Key.Namespace == (change.After ?? change.Before)!.Key.Name))
                Add(ned.Key, change);
        };
    }

    // Of what a list brings most is no news. What a standby sees is the leader's work: when it takes over, that must not stand in the way of
    // what changes then.
    private void Add(ObjectKey ned, StoreChange<LiveObject> change) =>
        _queue.Add(ned, change.IsListed || !_elected.IsCompletedSuccessfully ? Priority.Low : Priority.Normal);

    private void AddOwner(LiveObject? child, StoreChange<LiveObject> change)
    {
        if (child is not null && NedKind.OwnerOf(child) is { } owner)
            Add(owner, change);
    }

    private void AddLabelled(StoreChange<LiveObject> change)
    {
        var changed = (change.After ?? change.Before)!;
        if (changed.TextAt("metadata", "labels", NedLabels.Deployment) is { } ned)
            Add(new ObjectKey(changed.Key.Namespace, ned), change);
    }

    private async Task WorkWhenSyncedAsync(CancellationToken cancellation)
    {
        try
        {
            // Before every store is whole, a child that exists would look as if it did not.
            await Synced.WaitAsync(cancellation);
            // A standby keeps its stores up to date and its queue filled, and has nothing to catch up with when it takes over.
            await _elected.WaitAsync(cancellation);
            LogWorking(_logger, _settings.Namespace is { Length: > 0 } space ? $"namespace {space}" : "all namespaces", _stores.Neds.Count);
            await foreach (var ended in Task.WhenEach([ResyncAsync(cancellation), .. Enumerable.Range(0, _settings.Workers).Select(_ => WorkAsync(cancellation))]))
                await ended;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The process is asked to stop; whatever is unfinished is found again by the next one.
        }
    }

    private async Task ResyncAsync(CancellationToken cancellation)
    {
        if (_settings.ResyncTimer == TimeSpan.Zero)
            return;
        using var timer = new PeriodicTimer(_settings.ResyncTimer, _time);
        while (await timer.WaitForNextTickAsync(cancellation))
            Resync();
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        // Away from the caller's thread: each worker has its own.
        await Task.Yield();
        while (true)
        {
            var key = await _queue.GetAsync(cancellation);
            try
            {
                await WorkOneAsync(key, cancellation);
            }
            finally
            {
                _queue.Done(key);
            }

            // A pass that has nothing to do waits for nothing: thousands of them in a row would keep every thread from the watches.
            await Task.Yield();
        }
    }

    private async Task WorkOneAsync(ObjectKey key, CancellationToken cancellation)
    {
        // Found again by whoever has a line of the log or a span of it.
        var id = Random.Shared.GetHexString(8, lowercase: true);
        using var scope = Scope(_logger, key, id);
        using var span = Tracing.Pass(key, id);
        var began = _time.GetTimestamp();
        var failures = _queue.Failures(key);
        var ended = "failed";
        try
        {
            var result = await _reconciler.ReconcileAsync(key, failures, cancellation);
            if (result.HasFailed)
            {
                _queue.AddAfterFailure(key, result.After);
                return;
            }

            ended = "done";
            _queue.Forget(key);
            if (result.After is { } after)
                _queue.AddAfter(key, after);
        }
        catch (Exception failure) when (ApiServer.IsFailure(failure))
        {
            // The status could not be written either; the pass is made again as a whole.
            LogFailed(_logger, _queue.AddAfterFailure(key, (failure as IRetryLater)?.RetryAfter).TotalSeconds, failure.Message);
        }
        catch (Exception defect) when (defect is not NotLeaderException && (defect is not OperationCanceledException || !cancellation.IsCancellationRequested))
        {
            // A defect met by one NED must not take the others with it.
            ended = "defect";
            LogDefect(_logger, defect, _queue.AddAfterFailure(key).TotalSeconds);
        }
        finally
        {
            _metrics.Passed(ended, failures > 0, _time.GetElapsedTime(began));
            span?.SetTag("enclaves.reconcile.result", ended).SetStatus(ended == "done" ? ActivityStatusCode.Ok : ActivityStatusCode.Error);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Working in {Scope}; {Count} NitroEnclaveDeployments are known")]
    private static partial void LogWorking(ILogger logger, string scope, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Looking at all {Count} NitroEnclaveDeployments again")]
    private static partial void LogResync(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pass failed and is made again in {Seconds} s: {Failure}")]
    private static partial void LogFailed(ILogger logger, double seconds, string failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "The pass met an unforeseen error and is made again in {Seconds} s")]
    private static partial void LogDefect(ILogger logger, Exception defect, double seconds);
}
