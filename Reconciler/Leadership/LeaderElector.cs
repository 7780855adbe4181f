using System.Net;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Leadership;

/// <summary>
/// One of several replicas works, and says so in a Lease that it renews; when it is not heard of for the lease's duration, another takes
/// over. What counts is for how long the same record has been seen, by this process's own clock: clocks of other machines are not believed.
/// A leader that cannot renew in time ends its process and comes back as a standby, and one that is stopped gives the lease away.
/// </summary>
internal sealed partial class LeaderElector(ApiServer server, WriteFence fence, LeaseSettings settings, TimeProvider time, ILogger<LeaderElector> logger)
    : BackgroundService
{
    private readonly TaskCompletionSource _elected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ObjectKey _key = new(settings.Namespace, settings.Name);
    private LeaseRecord? _seen;
    private long _seenAt;
    private LiveObject? _mine;

    /// <summary>Completes when this replica is the leader. It never becomes undone: whoever loses the lease ends.</summary>
    public Task Elected => _elected.Task;

    /// <summary>Where the replica that works has its REST API; null on that replica, and while nobody says so.</summary>
    public Uri? LeaderAddress =>
        !_elected.Task.IsCompleted && _seen is { Holder.Length: > 0, Address: { Length: > 0 } address } && Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps
            ? uri
            : null;

    /// <inheritdoc />
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        fence.Close();
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Stops, and gives the lease away. Those that write have been stopped before: they are registered later.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        var wasLeader = fence.IsOpen;
        fence.Close();
        if (!wasLeader || _mine is not { } mine)
            return;
        try
        {
            await ReleaseAsync(mine, cancellationToken);
            LogReleased(logger, _key);
        }
        catch (Exception failure) when (ApiServer.IsFailure(failure) || failure is OperationCanceledException or NotLeaderException)
        {
            LogNotReleased(logger, _key, failure.Message);
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        LogStandby(logger, settings.Identity, _key);
        while (!await TryAcquireAsync(stoppingToken))
            await Task.Delay(UntilNextLook(), time, stoppingToken);
        LogElected(logger, settings.Identity, _key);
        _elected.SetResult();
        await RenewUntilLostAsync(stoppingToken);
    }

    // Exactly when the record that is seen has been the same for the lease's duration, if that is sooner than the next look would be.
    private TimeSpan UntilNextLook()
    {
        if (_seen is not { Holder.Length: > 0 } seen)
            return settings.Retry;
        var left = TimeSpan.FromSeconds(seen.Seconds) - time.GetElapsedTime(_seenAt);
        return left > TimeSpan.Zero && left < settings.Retry ? left + TimeSpan.FromMilliseconds(1) : settings.Retry;
    }

    private async Task<bool> TryAcquireAsync(CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        try
        {
            var lease = await server.GetAsync(ResourceKind.Lease, _key, cancellation);
            if (lease is not null && !IsFree(LeaseRecord.Of(lease)))
                return false;
            await WriteAsync(lease, began, cancellation);
            return true;
        }
        catch (ApiException quicker) when (quicker.Code == HttpStatusCode.Conflict)
        {
            return false;
        }
        catch (Exception failure) when (ApiServer.IsFailure(failure))
        {
            LogFailed(logger, _key, failure.Message);
            return false;
        }
    }

    private bool IsFree(LeaseRecord record)
    {
        if (record != _seen)
            (_seen, _seenAt) = (record, time.GetTimestamp());
        // Our own from before a restart is as good as another's: that process may not be quite gone.
        return record.Holder.Length == 0 || time.GetElapsedTime(_seenAt) >= TimeSpan.FromSeconds(record.Seconds);
    }

    private async Task RenewUntilLostAsync(CancellationToken cancellation)
    {
        var renewed = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(settings.RenewInterval, time, cancellation);
            var began = time.GetTimestamp();
            var left = settings.RenewDeadline - time.GetElapsedTime(renewed);
            if (left <= TimeSpan.Zero)
                throw Lost($"it could not be renewed for {settings.RenewDeadline.TotalSeconds:F0} s");
            using var deadline = new CancellationTokenSource(left, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
            try
            {
                await RenewAsync(began, either.Token);
                renewed = began;
            }
            catch (Exception failure) when (ApiServer.IsFailure(failure) || (failure is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                LogFailed(logger, _key, failure.Message);
            }
        }
    }

    private async Task RenewAsync(long began, CancellationToken cancellation)
    {
        try
        {
            await WriteAsync(_mine, began, cancellation);
        }
        catch (ApiException taken) when (taken.Code is HttpStatusCode.Conflict or HttpStatusCode.NotFound)
        {
            await WriteAsync(await OursAsync(cancellation), began, cancellation);
        }
    }

    private async Task ReleaseAsync(LiveObject mine, CancellationToken cancellation)
    {
        Task Release(LiveObject lease) =>
            server.ReplaceAsync(ResourceKind.Lease, _key, LeaseRecord.Write(settings, "", lease, time.GetUtcNow()), NedNames.FieldManager, cancellation);
        try
        {
            await Release(mine);
        }
        catch (ApiException stale) when (stale.Code == HttpStatusCode.Conflict)
        {
            // A renewal that was cut off by the stop may have been carried out.
            await Release(await OursAsync(cancellation));
        }
    }

    // A write of ours whose reply was lost, or somebody else: the Lease tells.
    private async Task<LiveObject> OursAsync(CancellationToken cancellation)
    {
        var lease = await server.GetAsync(ResourceKind.Lease, _key, cancellation) ?? throw Lost("it was deleted");
        return LeaseRecord.Of(lease).Holder is var holder && holder == settings.Identity
            ? lease
            : throw Lost($"{(holder.Length == 0 ? "nobody" : holder)} holds it");
    }

    // Counted from before the call: by the time the API server has written it, some of the lease may have passed.
    private async Task WriteAsync(LiveObject? lease, long began, CancellationToken cancellation)
    {
        var body = LeaseRecord.Write(settings, settings.Identity, lease, time.GetUtcNow());
        _mine = lease is null
            ? await server.CreateAsync(ResourceKind.Lease, settings.Namespace, body, cancellation)
            : await server.ReplaceAsync(ResourceKind.Lease, _key, body, NedNames.FieldManager, cancellation);
        fence.OpenFor(began, settings.Duration);
    }

    private NotLeaderException Lost(string reason)
    {
        fence.Close();
        return new NotLeaderException($"Lease {_key}: {reason}; this process ends and comes back as a standby");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Standing by as {Identity} for Lease {Lease}")]
    private static partial void LogStandby(ILogger logger, string identity, ObjectKey lease);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Identity} is the leader: Lease {Lease}")]
    private static partial void LogElected(ILogger logger, string identity, ObjectKey lease);

    [LoggerMessage(Level = LogLevel.Information, Message = "Lease {Lease} is given away")]
    private static partial void LogReleased(ILogger logger, ObjectKey lease);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Lease} could not be given away, another replica takes over when it is past: {Failure}")]
    private static partial void LogNotReleased(ILogger logger, ObjectKey lease, string failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Lease} could not be read or written, tried again: {Failure}")]
    private static partial void LogFailed(ILogger logger, ObjectKey lease, string failure);
}
