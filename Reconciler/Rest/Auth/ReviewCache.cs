using System.Collections.Concurrent;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>An answer of the API server and for how long it may be given again.</summary>
internal readonly record struct Judgement<T>(T Value, TimeSpan Life);

/// <summary>
/// Answers of the API server, each for a few seconds. Who asks the same while a question is under way waits for its answer; a few dozen
/// questions are under way at a time. What failed is not kept. Thread-safe.
/// </summary>
internal sealed class ReviewCache<TKey, TValue>(TimeProvider time, int most) : IDisposable
    where TKey : notnull
{
    private const int AtOnce = 32;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<TKey, Entry> _entries = new();
    private readonly SemaphoreSlim _room = new(AtOnce);

    /// <summary>Answers that are held.</summary>
    public int Count => _entries.Count;

    /// <summary>The answer that is known, or a new one.</summary>
    /// <param name="key">What is asked.</param>
    /// <param name="ask">Asks.</param>
    /// <param name="cancellation">Ends the wait; the question goes on, others may wait for it.</param>
    public async Task<TValue> GetAsync(TKey key, Func<CancellationToken, Task<Judgement<TValue>>> ask, CancellationToken cancellation)
    {
        if (_entries.TryGetValue(key, out var known) && (!known.Answer.IsCompleted || known.IsFresh(time)))
            return await known.Answer.WaitAsync(cancellation);
        if (_entries.Count >= most)
            MakeRoom();
        var mine = new Entry();
        var entry = _entries.AddOrUpdate(key, mine, (_, other) => !other.Answer.IsCompleted || other.IsFresh(time) ? other : mine);
        if (entry == mine)
            _ = AskAsync(key, mine, ask);
        return await entry.Answer.WaitAsync(cancellation);
    }

    /// <inheritdoc />
    public void Dispose() => _room.Dispose();

    private async Task AskAsync(TKey key, Entry entry, Func<CancellationToken, Task<Judgement<TValue>>> ask)
    {
        using var deadline = new CancellationTokenSource(Limit, time);
        try
        {
            await _room.WaitAsync(deadline.Token);
            try
            {
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
            entry.Failed(failure is OperationCanceledException ? new TimeoutException($"the API server gave no answer within {Limit.TotalSeconds} s", failure) : failure);
        }
    }

    // All of it, where nothing has run out: questions are dearer for a moment, and memory stays bounded.
    private void MakeRoom()
    {
        foreach (var (key, entry) in _entries)
        {
            if (entry.Answer.IsCompleted && !entry.IsFresh(time))
                _entries.TryRemove(KeyValuePair.Create(key, entry));
        }

        if (_entries.Count >= most)
            _entries.Clear();
    }

    private sealed class Entry
    {
        private readonly TaskCompletionSource<TValue> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _at;
        private TimeSpan _life;

        public Task<TValue> Answer => _answer.Task;

        public bool IsFresh(TimeProvider time) => time.GetElapsedTime(_at) < _life;

        public void Answered(Judgement<TValue> judgement, TimeProvider time)
        {
            (_at, _life) = (time.GetTimestamp(), judgement.Life);
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
