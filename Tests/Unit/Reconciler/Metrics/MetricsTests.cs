using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Reconciling;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Metrics;

/// <summary>What Prometheus is told by a Reconciler.</summary>
public sealed class MetricsTests
{
    [Fact]
    public async Task A_pass_after_a_failed_one_is_a_retry()
    {
        await using var scraped = await Scraped.Start();
        var metrics = scraped.Get<ReconcilerMetrics>();
        metrics.Passed("failed", isRetry: false, TimeSpan.FromMilliseconds(3));
        metrics.Passed("done", isRetry: true, TimeSpan.FromMilliseconds(3));
        var lines = await scraped.Scrape();
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_retries_total", 1));
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_passes_total{result=\"failed\"}", 1));
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_pass_duration_seconds_count", 2));
    }

    // Of a counter that appears with its first defect Prometheus sees no increase.
    [Fact]
    public async Task What_alerts_look_for_is_there_as_zero_before_it_happens()
    {
        await using var scraped = await Scraped.Start();
        var lines = await scraped.Scrape();
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_passes_total{result=\"defect\"}", 0));
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_retries_total", 0));
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_events_total{result=\"lost\"}", 0));
    }

    [Fact]
    public async Task A_watch_tells_how_often_it_was_opened_anew_and_why()
    {
        await using var scraped = await Scraped.Start();
        scraped.Get<ReconcilerMetrics>().Observe(() => 3, () => 2, () => true, () => [("pods", TimeSpan.FromSeconds(7), new WatchRestarts(5, 1, 2))]);
        var lines = await scraped.Scrape();
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_watch_restarts_total{kind=\"pods\",reason=\"ended\"}", 5));
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_watch_restarts_total{kind=\"pods\",reason=\"expired\"}", 1));
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_watch_restarts_total{kind=\"pods\",reason=\"interrupted\"}", 2));
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_watch_silence_seconds{kind=\"pods\"}", 7));
        lines.ShouldContain(line => Is(line, "enclaves_reconciler_queue_length", 3));
    }

    [Fact]
    public async Task A_job_tells_its_age_whether_it_runs_and_how_often_it_failed()
    {
        await using var scraped = await Scraped.Start();
        var jobs = scraped.Get<JobClock>();
        jobs.Began("drift");
        scraped.Time.Advance(TimeSpan.FromSeconds(30));
        jobs.Succeeded("drift");
        scraped.Time.Advance(TimeSpan.FromSeconds(60));
        jobs.Began("drift");
        jobs.Failed("drift");
        jobs.Began("orphans");
        jobs.Expect("never");
        scraped.Time.Advance(TimeSpan.FromSeconds(5));
        var lines = await scraped.Scrape();
        lines.ShouldContain(line => Is(line, "enclaves_job_last_success_age_seconds{job=\"drift\"}", 65));
        lines.ShouldContain(line => Is(line, "enclaves_job_failures_total{job=\"drift\"}", 1));
        lines.ShouldContain(line => Is(line, "enclaves_job_running{job=\"drift\"}", 0));
        // It has never succeeded: its age is that of its first beginning.
        lines.ShouldContain(line => Is(line, "enclaves_job_last_success_age_seconds{job=\"orphans\"}", 5));
        lines.ShouldContain(line => Is(line, "enclaves_job_running{job=\"orphans\"}", 1));
        lines.ShouldContain(line => Is(line, "enclaves_job_last_success_age_seconds{job=\"never\"}", 5));
    }

    [Fact]
    public async Task Every_phase_is_counted_also_where_no_enclave_is_in_it()
    {
        await using var scraped = await Scraped.Start();
        var lines = await scraped.Scrape();
        lines.ShouldContain(line => Is(line, "enclaves_by_phase{phase=\"Booting\"}", 0));
        lines.Count(line => line.StartsWith("enclaves_by_phase{", StringComparison.Ordinal)).ShouldBe(11);
    }

    // A label is made of no word that somebody else chooses, and an enclave that gives no answer does not pass for one that runs.
    [Theory]
    [InlineData("Unhealthy", null, "Unhealthy")]
    [InlineData("<script>", null, "Unknown")]
    [InlineData(null, null, "Unknown")]
    [InlineData(null, "no answer within 2 s", "Silent")]
    public void The_phase_of_an_enclave_is_what_was_last_said_of_it(string? state, string? failure, string phase) =>
        FleetMetrics.Phase(new EnclaveReport(default, failure is null ? new EnclaveStatus { State = state } : null, failure), isReady: true).ShouldBe(phase);

    [Fact]
    public async Task An_enclave_that_was_never_asked_counts_as_running_when_its_pod_is_ready()
    {
        await using var scraped = await Scraped.Start();
        scraped.PutPod("one", isReady: true);
        scraped.PutPod("two", isReady: false);
        var lines = await scraped.Scrape();
        lines.ShouldContain(line => Is(line, "enclaves_by_phase{phase=\"Running\"}", 1));
        lines.ShouldContain(line => Is(line, "enclaves_by_phase{phase=\"Unknown\"}", 1));
    }

    [Fact]
    public async Task Each_NED_tells_what_is_ready_of_it_and_one_that_is_gone_nothing()
    {
        await using var scraped = await Scraped.Start();
        scraped.PutNed("shop", "cart", 3, 2);
        scraped.PutNed("shop", "till", null, 0);
        var lines = await scraped.Scrape();
        lines.ShouldContain("enclaves_ned_replicas{namespace=\"shop\",ned=\"cart\"} 3");
        lines.ShouldContain("enclaves_ned_ready_replicas{namespace=\"shop\",ned=\"cart\"} 2");
        lines.ShouldContain("enclaves_ned_replicas{namespace=\"shop\",ned=\"till\"} 1");
        lines.ShouldContain("enclaves_ned_left_out 0");
        // Of one format, with one description of each: Prometheus takes nothing of what has two.
        lines.ShouldNotContain("# EOF");
        lines.Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).ShouldBeUnique();
        scraped.Get<ClusterStores>().Neds.Remove(new ObjectKey("shop", "cart"));
        (await scraped.Scrape()).ShouldNotContain(line => line.Contains("\"cart\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_very_many_NEDs_ten_thousand_are_shown_and_the_others_counted()
    {
        await using var scraped = await Scraped.Start();
        for (var i = 0; i < NedMetricsText.MostNeds + 3; i++)
            scraped.PutNed("shop", $"cart-{i:d5}", 1, 1);
        var lines = await scraped.Scrape();
        lines.Count(line => line.StartsWith("enclaves_ned_ready_replicas{", StringComparison.Ordinal)).ShouldBe(NedMetricsText.MostNeds);
        lines.ShouldContain("enclaves_ned_left_out 3");
    }

    [Fact]
    public async Task Where_it_is_turned_off_no_NED_is_named()
    {
        await using var scraped = await Scraped.Start(perNed: false);
        scraped.PutNed("shop", "cart", 3, 2);
        (await scraped.Scrape()).ShouldNotContain(line => line.Contains("enclaves_ned_", StringComparison.Ordinal));
    }

    // Of the form NAME{LABELS} VALUE [TIME]; without labels the exporter may write the braces or not.
    private static bool Is(string line, string series, double value)
    {
        var end = line.LastIndexOf('}') + 1;
        var parts = (end > 0 ? line[end..] : line).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var name = end > 0 ? line[..end].Replace("{}", "", StringComparison.Ordinal) : parts[0];
        var number = end > 0 ? parts[0] : parts.ElementAtOrDefault(1);
        return name == series && double.TryParse(number, System.Globalization.CultureInfo.InvariantCulture, out var got) && Math.Abs(got - value) < 1e-6;
    }
}
