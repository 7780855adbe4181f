using System.Collections.Concurrent;
using System.Threading.RateLimiting;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>An answer of the API server and for how long it may be given again.</summary>
internal readonly record struct Judgement<T>(T Value, TimeSpan Life);

/// <summary>Somebody has more questions waiting than are taken in.</summary>
internal sealed class TooManyQuestionsException(string asker) : Exception($"{asker} has too many questions to the API server waiting; ask again in some seconds, and for fewer things at a time");

/// <summary>
/// Answers of the API server, each for a few seconds. Who asks the same while a question is under way waits for its answer; a few dozen
/// questions are under way at a time, of which nobody has more than a quarter. What failed is not kept. Thread-safe.
/// </summary>
internal sealed class ReviewCache<TKey, TValue>(TimeProvider time, int most) : IDisposable
    where TKey : notnull
{
    private const int AtOnce = 32;
    private const int AtOnceOfOne = 8;
    private const int WaitingOfOne = 1024;

    // How long the API server may take, from when it is asked, and how long a question may wait before that.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<TKey, Entry> _entries = new();
    private readonly SemaphoreSlim _room = new(AtOnce);
    private readonly Lock _evicting = new();
    private readonly PartitionedRateLimiter<string> _roomOfOne = PartitionedRateLimiter.Create<string, string>(asker => RateLimitPartition.GetConcurrencyLimiter(
        asker, _ => new ConcurrencyLimiterOptions { PermitLimit = AtOnceOfOne, QueueLimit = WaitingOfOne, QueueProcessingOrder = QueueProcessingOrder.OldestFirst }));

    /// <summary>Answers that are held.</summary>
    public int Count => _entries.Count;

    /// <summary>What was answered the last time, however long ago that is; nothing when it is not known any more.</summary>
    public TValue? Last(TKey key) => _entries.TryGetValue(key, out var known) && known.Answer.IsCompletedSuccessfully ? known.Answer.Result : default;

    /// <summary>The answer that is known, or a new one.</summary>
    /// <param name="key">What is asked.</param>
    /// <param name="asker">Who asks: one asker's questions wait for each other before they wait for those of others.</param>
    /// <param name="ask">Asks.</param>
    /// <param name="cancellation">Ends the wait; the question goes on, others may wait for it.</param>
    /// <exception cref="TooManyQuestionsException">The asker has too many questions waiting.</exception>
    public async Task<TValue> GetAsync(TKey key, string asker, Func<CancellationToken, Task<Judgement<TValue>>> ask, CancellationToken cancellation)
    {
        if (_entries.TryGetValue(key, out var known) && (!known.Answer.IsCompleted || known.IsFresh(time)))
            return await known.Answer.WaitAsync(cancellation);
        if (_entries.Count >= most)
            MakeRoom();
        var mine = new Entry();
        var entry = _entries.AddOrUpdate(key, mine, (_, other) => !other.Answer.IsCompleted || other.IsFresh(time) ? other : mine);
        if (entry == mine)
            _ = AskAsync(key, asker, mine, ask);
        return await entry.Answer.WaitAsync(cancellation);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _roomOfOne.Dispose();
        _room.Dispose();
    }

    private async Task AskAsync(TKey key, string asker, Entry entry, Func<CancellationToken, Task<Judgement<TValue>>> ask)
    {
        try
        {
            using var wait = new CancellationTokenSource(WaitLimit, time);
            using var place = await _roomOfOne.AcquireAsync(asker, 1, wait.Token);
            if (!place.IsAcquired)
                throw new TooManyQuestionsException(asker);
            await _room.WaitAsync(wait.Token);
            try
            {
                using var deadline = new CancellationTokenSource(Limit, time);
                entry.Answered(await ask(deadline.Token), time);
            }
            finally
            {
                _room.Release();
            }
        }
        catch (Exception failure)
        {
            // Whoever waits for it is told.
            _entries.TryRemove(KeyValuePair.Create(key, entry));
            entry.Failed(failure is OperationCanceledException
                ? new TimeoutException($"the API server gave no answer within {Limit.TotalSeconds} s, or was not free to be asked within {WaitLimit.TotalSeconds} s", failure)
                : failure);
        }
    }

    // What has run out; where that is nothing, the oldest tenth.
    private void MakeRoom()
    {
        if (!_evicting.TryEnter())
            return;
        try
        {
            var answered = _entries.Where(entry => entry.Value.Answer.IsCompleted).ToList();
            foreach (var stale in answered.Where(entry => !entry.Value.IsFresh(time)))
                _entries.TryRemove(stale);
            if (_entries.Count < most)
                return;
            foreach (var oldest in answered.OrderBy(entry => entry.Value.At).Take(Math.Max(1, most / 10)))
                _entries.TryRemove(oldest);
        }
        finally
        {
            _evicting.Exit();
        }
    }

    private sealed class Entry
    {
        private readonly TaskCompletionSource<TValue> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TimeSpan _life;

        public Task<TValue> Answer => _answer.Task;

        public long At { get; private set; }

        public bool IsFresh(TimeProvider time) => time.GetElapsedTime(At) < _life;

        public void Answered(Judgement<TValue> judgement, TimeProvider time)
        {
            (At, _life) = (time.GetTimestamp(), judgement.Life);
            _answer.SetResult(judgement.Value);
        }

        public void Failed(Exception failure)
        {
            _answer.SetException(failure);
            // Nobody may be left to look at it.
            _ = _answer.Task.Exception;
        }
    }
}
