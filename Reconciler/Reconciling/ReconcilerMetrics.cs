using System.Diagnostics.Metrics;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Control.Events;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>What /metrics shows; docs/metrics.md says what each is for. No label here names an object: there may be many thousands.</summary>
internal sealed class ReconcilerMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string Meter = "Enclaves.Reconciler";

    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        // From a pass that writes nothing to the longest that a call to the API server may take.
        HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    private readonly Meter _meter;
    private readonly Counter<long> _passes;
    private readonly Counter<long> _retries;
    private readonly Histogram<double> _duration;

    /// <summary>Creates the instruments.</summary>
    public ReconcilerMetrics(IMeterFactory factory, EventRecorder events)
    {
        _meter = factory.Create(Meter);
        _passes = _meter.CreateCounter<long>("enclaves_reconciler_passes", null, "Passes over a NED, by how they ended: done, failed or defect.");
        _retries = _meter.CreateCounter<long>("enclaves_reconciler_retries", null, "Passes that were made because the one before them had failed.");
        // Present from the beginning: of a series that begins with its first defect Prometheus sees no increase, and no alert is raised.
        _retries.Add(0);
        foreach (var result in new[] { "done", "failed", "defect" })
            _passes.Add(0, new KeyValuePair<string, object?>("result", result));
        _duration = _meter.CreateHistogram("enclaves_reconciler_pass_duration", "s", "From a pass's beginning to its end.", advice: Seconds);
        static Measurement<long> Count(long count, string result) => new(count, new KeyValuePair<string, object?>("result", result));
        _meter.CreateObservableCounter("enclaves_reconciler_events",
            () => new[] { Count(events.Written, "written"), Count(events.Lost, "lost"), Count(events.Dropped, "dropped") },
            null, "Writes of Events that were made, were given up, and for which there was no room.");
    }

    /// <summary>
    /// Shows the present length of the queue, the number of NEDs that are known, whether this replica is the one that works, and of each
    /// watch how long it has been silent and how often it was opened anew.
    /// </summary>
    public void Observe(Func<int> queueLength, Func<int> neds, Func<bool> leads, Func<IEnumerable<(string Kind, TimeSpan Silent, WatchRestarts Restarts)>> watches)
    {
        _meter.CreateObservableGauge("enclaves_reconciler_queue_length", queueLength, null, "NEDs that wait for a pass.");
        _meter.CreateObservableGauge("enclaves_reconciler_neds", neds, null, "NEDs that are known.");
        _meter.CreateObservableGauge("enclaves_reconciler_leader", () => leads() ? 1 : 0, null, "1 on the replica that works, 0 on one that stands by.");
        _meter.CreateObservableGauge("enclaves_reconciler_watch_silence",
            () => watches().Select(watch => new Measurement<double>(watch.Silent.TotalSeconds, new KeyValuePair<string, object?>("kind", watch.Kind))),
            "s", "Since the API server's last list, event, bookmark or orderly end of a watch, for each kind.");
        _meter.CreateObservableCounter("enclaves_reconciler_watch_restarts", () => watches().SelectMany(watch => Restarts(watch.Kind, watch.Restarts)),
            null, "Watches that were opened anew, by kind and reason: ended, expired or interrupted.");
    }

    /// <summary>Shows how the recurring jobs fare.</summary>
    public void Observe(JobClock jobs)
    {
        static KeyValuePair<string, object?> Job(JobTimes times) => new("job", times.Job);
        _meter.CreateObservableGauge("enclaves_job_last_success_age", () => jobs.All.Select(times => new Measurement<double>(times.SinceSuccess.TotalSeconds, Job(times))),
            "s", "Since the last success of a job; before the first one, since it was first begun.");
        _meter.CreateObservableGauge("enclaves_job_running", () => jobs.All.Select(times => new Measurement<int>(times.Running, Job(times))),
            null, "1 while a job runs.");
        _meter.CreateObservableCounter("enclaves_job_failures", () => jobs.All.Select(times => new Measurement<long>(times.Failures, Job(times))),
            null, "Runs of a job that failed.");
    }

    /// <summary>Counts a pass.</summary>
    public void Passed(string result, bool isRetry, TimeSpan duration)
    {
        if (isRetry)
            _retries.Add(1);
        _passes.Add(1, new KeyValuePair<string, object?>("result", result));
        _duration.Record(duration.TotalSeconds);
    }

    private static IEnumerable<Measurement<long>> Restarts(string kind, WatchRestarts restarts)
    {
        Measurement<long> Count(long count, string reason) => new(count, new("kind", kind), new KeyValuePair<string, object?>("reason", reason));
        return [Count(restarts.Ended, "ended"), Count(restarts.Expired, "expired"), Count(restarts.Interrupted, "interrupted")];
    }
}
