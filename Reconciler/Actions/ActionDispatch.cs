using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Control.Events;
using Enclaves.Reconciler.Leadership;
using Enclaves.Reconciler.Reconciling;

namespace Enclaves.Reconciler.Actions;

/// <summary>
/// Finds the actions that wait on NEDs and sees to it that each is carried out, on the replica that works: by a job, and where there are no
/// jobs, or their storage cannot be reached, or a job is late, by itself.
/// </summary>
internal sealed partial class ActionDispatch : BackgroundService
{
    /// <summary>How long a job may take, from when it was given; then the action is carried out here, and the job finds nothing to do.</summary>
    public static readonly TimeSpan JobLimit = TimeSpan.FromSeconds(15);

    private const int AtOnce = 4;
    private static readonly TimeSpan GiveLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(10);

    // The watch of namespaces may lag behind that of NEDs.
    private static readonly TimeSpan UnknownNamespaceRecheck = TimeSpan.FromSeconds(1);

    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ConcurrentDictionary<ObjectKey, Given> _given = new();
    private readonly ClusterStores _stores;
    private readonly NedController _controller;
    private readonly ActionRunner _runner;
    private readonly TimeProvider _time;
    private readonly ILogger<ActionDispatch> _logger;
    private readonly Task _elected;
    private readonly IActionJobs? _jobs;

    public ActionDispatch(
        ClusterStores stores, NedController controller, ActionRunner runner, TimeProvider time, ILogger<ActionDispatch> logger,
        LeaderElector? elector = null, IActionJobs? jobs = null)
    {
        (_stores, _controller, _runner, _time, _logger, _jobs) = (stores, controller, runner, time, logger, jobs);
        _elected = elector?.Elected ?? Task.CompletedTask;
        _queue = new WorkQueue<ObjectKey>(time, new BackOff(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30)));
        stores.Neds.Changed += change =>
        {
            if (MayHaveAny(change.Before) || MayHaveAny(change.After))
                _queue.Add((change.After ?? change.Before)!.Key);
        };
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
        try
        {
            await _controller.Synced.WaitAsync(stoppingToken);
            await _elected.WaitAsync(stoppingToken);
            await foreach (var ended in Task.WhenEach(Enumerable.Range(0, AtOnce).Select(_ => WorkAsync(stoppingToken))))
                await ended;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is asked to stop; what waits is found again by the next one.
        }
    }

    // Of each change of each NED this is asked, so it looks at the text only.
    private static bool MayHaveAny(LiveObject? ned) => ned is not null && ned.Text.IndexOf("\"action.k8s.oblv.com/"u8) >= 0;

    private static List<string> WaitingOn(LiveObject ned) => ned.At("metadata", "annotations") is { ValueKind: JsonValueKind.Object } annotations
        ? [.. annotations.EnumerateObject().Select(each => each.Name).Where(name => name.StartsWith(NedAnnotations.ActionPrefix, StringComparison.Ordinal))
            .Select(name => name[NedAnnotations.ActionPrefix.Length..])]
        : [];

    private async Task WorkAsync(CancellationToken cancellation)
    {
        await Task.Yield();
        while (true)
        {
            var key = await _queue.GetAsync(cancellation);
            try
            {
                await LookAsync(key, cancellation);
                _queue.Forget(key);
            }
            catch (Exception failure) when (IsWorthAnotherTry(failure))
            {
                LogFailed(_logger, key, _queue.AddAfterFailure(key, (failure as IRetryLater)?.RetryAfter).TotalSeconds, failure.Message);
            }
            catch (Exception defect) when (!cancellation.IsCancellationRequested)
            {
                // A defect met by one NED must not take the others with it.
                LogDefect(_logger, defect, key, _queue.AddAfterFailure(key).TotalSeconds);
            }
            finally
            {
                _queue.Done(key);
            }
        }
    }

    private async Task LookAsync(ObjectKey key, CancellationToken cancellation)
    {
        if (_stores.Neds.Get(key) is not { IsBeingDeleted: false } ned || WaitingOn(ned) is not { Count: > 0 } waiting)
        {
            _given.TryRemove(key, out _);
            return;
        }

        if (_stores.IsIgnored(key.Namespace) is not { } isIgnored)
        {
            _queue.AddAfter(key, UnknownNamespaceRecheck);
            return;
        }

        if (isIgnored)
            return;
        var given = _given.AddOrUpdate(key, _ => new Given(ned.Uid), (_, before) => before.Uid == ned.Uid ? before : new Given(ned.Uid));
        given.KeepOnly(waiting);
        Exception? failed = null;
        // More of them are looked at when these are gone.
        foreach (var id in waiting.Order(StringComparer.Ordinal).Take(NedAction.MostWaiting))
        {
            var since = given.Since(id);
            if (since is not null && _time.GetElapsedTime(since.Value) < JobLimit)
                continue;
            try
            {
                if (since is not null || !await TryGiveAsync(ned, id, cancellation))
                    await _runner.RunAsync(key, ned.Uid, id, cancellation);
                // Known until the store has seen that it is gone.
                given.Note(id, _time.GetTimestamp());
            }
            catch (Exception failure) when (IsWorthAnotherTry(failure))
            {
                // One that cannot be carried out now does not keep the others waiting.
                failed = failure;
            }
        }

        if (failed is not null)
            ExceptionDispatchInfo.Throw(failed);
        if (given.Oldest is { } oldest && JobLimit - _time.GetElapsedTime(oldest) is var left)
            _queue.AddAfter(key, left > Soon ? left : Soon);
    }

    private static bool IsWorthAnotherTry(Exception failure) => failure is NotLeaderException or EventNotWrittenException || ApiServer.IsFailure(failure);

    private async Task<bool> TryGiveAsync(LiveObject ned, string id, CancellationToken cancellation)
    {
        if (_jobs is null)
            return false;
        try
        {
            // The storage's calls wait on their thread. One that is late makes a job that finds nothing to do.
            await Task.Run(() => _jobs.Give(ned.Key, ned.Uid, id), cancellation).WaitAsync(GiveLimit, _time, cancellation);
            return true;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            LogNotGiven(_logger, id, ned.Key, failure.GetBaseException().Message);
            return false;
        }
    }

    // What was given to a job, or carried out here, and may still be seen in the store. Used by the one worker that has the NED's key.
    private sealed class Given(string uid)
    {
        private readonly Dictionary<string, long> _since = new(StringComparer.Ordinal);

        public string Uid => uid;

        public long? Oldest => _since.Count == 0 ? null : _since.Values.Min();

        public long? Since(string id) => _since.TryGetValue(id, out var since) ? since : null;

        public void Note(string id, long now) => _since[id] = now;

        public void KeepOnly(List<string> waiting)
        {
            foreach (var id in _since.Keys.Except(waiting, StringComparer.Ordinal).ToList())
                _since.Remove(id);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Actions on {Ned} could not be carried out and are tried again in {Seconds} s: {Failure}")]
    private static partial void LogFailed(ILogger logger, ObjectKey ned, double seconds, string failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "Actions on {Ned} met an unforeseen error and are tried again in {Seconds} s")]
    private static partial void LogDefect(ILogger logger, Exception defect, ObjectKey ned, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No job can be made of action {Id} on {Ned}, which is carried out without one: {Failure}")]
    private static partial void LogNotGiven(ILogger logger, string id, ObjectKey ned, string failure);
}
