using System.Collections.Concurrent;
using System.Net;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;

namespace Enclaves.Reconciler.Health;

/// <summary>What an EnclaveHost said when it was asked the last time.</summary>
/// <param name="At">When it was asked.</param>
/// <param name="Status">What it said, or null.</param>
/// <param name="Failure">Why it said nothing that can be used, or null.</param>
internal sealed record EnclaveReport(DateTimeOffset At, EnclaveStatus? Status, string? Failure);

/// <summary>
/// The statuses of all EnclaveHosts, for whoever wants one: each is asked at most once a second, a few dozen at a time, and everybody who asks
/// in between gets the same answer. What was said the last time stays known until the pod is gone. Thread-safe.
/// </summary>
internal sealed class EnclaveStatuses : IDisposable
{
    /// <summary>Most questions at a time.</summary>
    public const int AtOnce = 64;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _room = new(AtOnce);
    private readonly EnclaveStatusReader _reader;
    private readonly Func<LiveObject, IPEndPoint?> _where;
    private readonly TimeProvider _time;
    private readonly ObjectStore<LiveObject> _pods;

    public EnclaveStatuses(EnclaveStatusReader reader, ClusterStores stores, TimeProvider time)
        : this(reader, stores, time, pod => PodLook.Address(pod) is { } address ? new IPEndPoint(address, EnclaveStatusReader.Port) : null)
    {
    }

    /// <summary>Asks elsewhere than at the pods' addresses, of which none may be a loopback.</summary>
    internal EnclaveStatuses(EnclaveStatusReader reader, ClusterStores stores, TimeProvider time, Func<LiveObject, IPEndPoint?> where)
    {
        (_reader, _where, _time, _pods) = (reader, where, time, stores.Pods);
        stores.Pods.Changed += Forget;
    }

    /// <summary>What was said the last time, or null when it was never asked.</summary>
    public EnclaveReport? Last(LiveObject pod) => _entries.TryGetValue(pod.Uid, out var entry) ? entry.Last : null;

    /// <summary>What a pod's EnclaveHost says now, or said within the last second; null where there is no address to ask.</summary>
    public async Task<EnclaveReport?> AskAsync(LiveObject pod, CancellationToken cancellation)
    {
        if (_where(pod) is not { } host)
            return null;
        var entry = _entries.GetOrAdd(pod.Uid, _ => new Entry());
        Task<EnclaveReport> question;
        lock (entry)
        {
            if (entry.Last is { } last && _time.GetUtcNow() - last.At is var age && age < Fresh && age >= TimeSpan.Zero)
                return last;
            // One question for all who ask meanwhile; it goes on when the first of them goes away.
            question = entry.Question is { IsCompleted: false } asked ? asked : entry.Question = QuestionAsync(entry, host);
        }

        // Of a pod that is gone meanwhile, nothing would ever forget it.
        if (_pods.Get(pod.Key)?.Uid != pod.Uid)
            _entries.TryRemove(pod.Uid, out _);
        return await question.WaitAsync(cancellation);
    }

    /// <inheritdoc />
    public void Dispose() => _room.Dispose();

    // Never fails: a failure is a report too. The reader's own limit bounds it in time.
    private async Task<EnclaveReport> QuestionAsync(Entry entry, IPEndPoint host)
    {
        await _room.WaitAsync();
        try
        {
            var at = _time.GetUtcNow();
            try
            {
                return entry.Last = new EnclaveReport(at, await _reader.ReadAsync(host, CancellationToken.None), null);
            }
            catch (EnclaveStatusException silent)
            {
                return entry.Last = new EnclaveReport(at, null, silent.Message);
            }
        }
        finally
        {
            _room.Release();
        }
    }

    private void Forget(StoreChange<LiveObject> change)
    {
        if (change.Before is { } gone && gone.Uid != change.After?.Uid)
            _entries.TryRemove(gone.Uid, out _);
    }

    private sealed class Entry
    {
        public volatile EnclaveReport? Last;

        public Task<EnclaveReport>? Question { get; set; }
    }
}
