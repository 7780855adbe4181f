using System.Collections.Concurrent;

namespace Enclaves.Reconciler.Control;

/// <summary>How a job that is done again and again has fared in the life of this process.</summary>
/// <param name="Job">Its name.</param>
/// <param name="SinceSuccess">Since its last success; before the first one, since it was first expected or begun.</param>
/// <param name="Running">How many of it run now.</param>
/// <param name="Failures">How often it has failed.</param>
internal readonly record struct JobTimes(string Job, TimeSpan SinceSuccess, int Running, long Failures);

/// <summary>Keeps when each job last succeeded. Jobs are told apart by their name, which is one of a few in the program. Thread-safe.</summary>
internal sealed class JobClock(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Entry> _jobs = new(StringComparer.Ordinal);

    /// <summary>Every job that is expected, or was begun at least once.</summary>
    public IEnumerable<JobTimes> All
    {
        get
        {
            foreach (var (job, entry) in _jobs)
            {
                lock (entry)
                    yield return new JobTimes(job, time.GetElapsedTime(entry.Succeeded), entry.Running, entry.Failures);
            }
        }
    }

    /// <summary>A job will be begun from now on.</summary>
    public void Expect(string job) => Of(job);

    /// <summary>A job begins; <see cref="Succeeded"/> or <see cref="Failed"/> must follow.</summary>
    public void Began(string job)
    {
        var entry = Of(job);
        lock (entry)
            entry.Running++;
    }

    /// <summary>It has done what it is for.</summary>
    public void Succeeded(string job)
    {
        var entry = Of(job);
        lock (entry)
        {
            entry.Running--;
            entry.Succeeded = time.GetTimestamp();
        }
    }

    /// <summary>It has ended without that.</summary>
    public void Failed(string job)
    {
        var entry = Of(job);
        lock (entry)
        {
            entry.Running--;
            entry.Failures++;
        }
    }

    private Entry Of(string job) => _jobs.GetOrAdd(job, _ => new Entry { Succeeded = time.GetTimestamp() });

    private sealed class Entry
    {
        public long Succeeded { get; set; }

        public int Running { get; set; }

        public long Failures { get; set; }
    }
}
