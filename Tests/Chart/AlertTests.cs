using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

/// <summary>The alerts, tried by promtool on series that raise them and on those of a platform that is well.</summary>
public sealed partial class AlertTests : IDisposable
{
    private const string Rules = "charts/enclaves/alerts/enclaves.yaml";
    private const string Webhook = "instance=\"w\"";
    private const string Leader = "instance=\"r1\"";
    private const string Pod = "namespace=\"shop\",pod=\"cart-1\"";

    // One sample a minute, for an hour and a half.
    private static readonly string[] Healthy =
    [
        $"enclaves_webhook_draining{{{Webhook}}}: 0x90",
        $"enclaves_webhook_failures_total{{{Webhook},endpoint=\"mutate-pod\"}}: 0x90",
        $"enclaves_webhook_certificate_expiration_timestamp_seconds{{{Webhook}}}: 2592000x90",
        $"enclaves_webhook_review_duration_seconds_bucket{{{Webhook},endpoint=\"mutate-pod\",le=\"1\"}}: 0+10x90",
        $"enclaves_webhook_review_duration_seconds_bucket{{{Webhook},endpoint=\"mutate-pod\",le=\"+Inf\"}}: 0+10x90",
        $"enclaves_reconciler_leader{{{Leader}}}: 1x90",
        "enclaves_reconciler_leader{instance=\"r2\"}: 0x90",
        $"enclaves_reconciler_passes_total{{{Leader},result=\"done\"}}: 0+10x90",
        $"enclaves_reconciler_passes_total{{{Leader},result=\"failed\"}}: 0+1x90",
        $"enclaves_reconciler_passes_total{{{Leader},result=\"defect\"}}: 0x90",
        $"enclaves_reconciler_queue_length{{{Leader}}}: 3x90",
        // A standby's is filled, and nobody works it.
        "enclaves_reconciler_queue_length{instance=\"r2\"}: 5000x90",
        $"enclaves_reconciler_watch_silence_seconds{{{Leader},kind=\"pods\"}}: 0 60 120 180 240 300 360 420 480 540 0 60 120 180 240 300 360 420 480 540 0x70",
        $"enclaves_reconciler_watch_restarts_total{{{Leader},kind=\"pods\",reason=\"ended\"}}: 0+1x90",
        $"enclaves_reconciler_watch_restarts_total{{{Leader},kind=\"pods\",reason=\"interrupted\"}}: 0x40 2x50",
        $"enclaves_reconciler_events_total{{{Leader},result=\"written\"}}: 0+5x90",
        $"enclaves_reconciler_events_total{{{Leader},result=\"lost\"}}: 0x90",
        $"enclaves_job_last_success_age_seconds{{{Leader},job=\"drift\"}}: 0+40x90",
        $"enclaves_job_failures_total{{{Leader},job=\"drift\"}}: 0x40 1x50",
        "enclaves_ned_replicas{namespace=\"shop\",ned=\"cart\"}: 2x90",
        "enclaves_ned_ready_replicas{namespace=\"shop\",ned=\"cart\"}: 2x30 1x10 2x50",
        $"enclave_state{{{Pod},state=\"Unhealthy\"}}: 0x30 1x3 0x57",
        $"enclave_boots_total{{{Pod}}}: 1x30 2x60",
        $"enclave_container_restarts_total{{{Pod},container=\"web\"}}: 0x30 2x60",
        $"enclave_egress_refused_total{{{Pod},container=\"web\"}}: 0x30 3x60",
        $"enclave_log_lines_dropped_total{{{Pod},side=\"host\"}}: 0x90",
        $"enclave_otlp_up{{{Pod}}}: 1x30 0x3 1x57",
    ];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("enclaves-alerts-");

    /// <summary>For each alert, what differs from <see cref="Healthy"/> when it is to be raised.</summary>
    private static IReadOnlyList<(string Alert, string[] Series)> Raised =>
    [
        ("EnclavesWebhookDown", [$"enclaves_webhook_draining{{{Webhook}}}: 1x90"]),
        ("EnclavesWebhookDefect", [$"enclaves_webhook_failures_total{{{Webhook},endpoint=\"mutate-pod\"}}: 0x80 1x10"]),
        ("EnclavesWebhookCertificateExpires", [$"enclaves_webhook_certificate_expiration_timestamp_seconds{{{Webhook}}}: 200000x90"]),
        ("EnclavesWebhookSlow", [$"enclaves_webhook_review_duration_seconds_bucket{{{Webhook},endpoint=\"mutate-pod\",le=\"1\"}}: 0+9x90",
            $"enclaves_webhook_review_duration_seconds_bucket{{{Webhook},endpoint=\"mutate-pod\",le=\"5\"}}: 0+10x90"]),
        ("EnclavesReconcilerAway", [$"enclaves_reconciler_leader{{{Leader}}}: 0x90"]),
        ("EnclavesReconcilerTwoLeaders", ["enclaves_reconciler_leader{instance=\"r2\"}: 1x90", "enclaves_reconciler_queue_length{instance=\"r2\"}: 0x90"]),
        ("EnclavesReconcilerDefect", [$"enclaves_reconciler_passes_total{{{Leader},result=\"defect\"}}: 0x80 1x10"]),
        ("EnclavesReconcilerFailing", [$"enclaves_reconciler_passes_total{{{Leader},result=\"failed\"}}: 0+20x90"]),
        ("EnclavesReconcilerBehind", [$"enclaves_reconciler_queue_length{{{Leader}}}: 300x90"]),
        ("EnclavesReconcilerWatchSilent", [$"enclaves_reconciler_watch_silence_seconds{{{Leader},kind=\"pods\"}}: 0+60x90"]),
        ("EnclavesReconcilerWatchBreaks", [$"enclaves_reconciler_watch_restarts_total{{{Leader},kind=\"pods\",reason=\"interrupted\"}}: 0+1x90"]),
        ("EnclavesReconcilerEventsLost", [$"enclaves_reconciler_events_total{{{Leader},result=\"lost\"}}: 0x80 2x10"]),
        ("EnclavesJobLate", [$"enclaves_job_last_success_age_seconds{{{Leader},job=\"drift\"}}: 6000+60x90"]),
        ("EnclavesJobFails", [$"enclaves_job_failures_total{{{Leader},job=\"drift\"}}: 0x40 0+1x50"]),
        ("EnclavesNedNotReady", ["enclaves_ned_ready_replicas{namespace=\"shop\",ned=\"cart\"}: 2x60 1x30"]),
        ("EnclaveUnhealthy", [$"enclave_state{{{Pod},state=\"Unhealthy\"}}: 0x80 1x10"]),
        ("EnclaveReboots", [$"enclave_boots_total{{{Pod}}}: 1x40 2x20 3x10 4x20"]),
        ("EnclaveContainerRestarts", [$"enclave_container_restarts_total{{{Pod},container=\"web\"}}: 0x40 0+1x50"]),
        ("EnclaveEgressRefused", [$"enclave_egress_refused_total{{{Pod},container=\"web\"}}: 0x70 0+2x20"]),
        ("EnclaveLogLinesLost", [$"enclave_log_lines_dropped_total{{{Pod},side=\"host\"}}: 0x80 40x10"]),
        ("EnclaveOtlpDown", [$"enclave_otlp_up{{{Pod}}}: 1x30 0x60"]),
    ];

    // In one run of promtool, which takes longer to start than to judge.
    [Fact]
    public async Task Each_alert_is_raised_by_its_series_and_by_them_alone()
    {
        var tests = Raised.Select(raised =>
        {
            var changed = raised.Series.Select(Name).ToHashSet(StringComparer.Ordinal);
            return Tried(raised.Series.Concat(Healthy.Where(line => !changed.Contains(Name(line)))), raised.Alert);
        });
        await Promtool(tests);
    }

    [Fact]
    public Task A_platform_that_is_well_raises_none() => Promtool([Tried(Healthy)]);

    [Fact]
    public Task Where_nothing_is_scraped_it_is_said_that_neither_part_is_there() =>
        Promtool([Tried(["up{job=\"other\"}: 1x90"], "EnclavesWebhookDown", "EnclavesReconcilerAway")]);

    [Fact]
    public void Every_alert_is_tried() =>
        Alerts().Select(alert => (string)alert["alert"]!).Order(StringComparer.Ordinal)
            .ShouldBe(Raised.Select(raised => raised.Alert).Order(StringComparer.Ordinal));

    [Fact]
    public async Task Promtool_finds_nothing_wrong_with_what_the_chart_renders()
    {
        var rule = (await Helm.Template("everything")).OfKind("PrometheusRule").ShouldHaveSingleItem();
        var file = Write("rendered.json", rule.Json["spec"]!.ToJsonString());
        (await Tool.Run("promtool", "", "check", "rules", file)).Succeeded();
        JsonNode.DeepEquals(rule.Json["spec"], Yaml.One(Repository.Read(Rules))).ShouldBeTrue("helm has changed the rules");
    }

    [Fact]
    public void Every_alert_says_what_is_wrong_what_to_do_and_where_to_read_on()
    {
        var documentation = Repository.Read("docs/metrics.md");
        foreach (var alert in Alerts())
        {
            var name = (string)alert["alert"]!;
            var annotations = alert["annotations"]!;
            ((string)annotations["summary"]!).ShouldEndWith(".", Case.Sensitive, name);
            ((string)annotations["description"]!).ShouldEndWith(".", Case.Sensitive, name);
            ((string?)alert["labels"]!["severity"]).ShouldBeOneOf("critical", "warning", "info");
            documentation.ShouldContain($"| `{name}` |", Case.Sensitive, "docs/metrics.md lists every alert");
            var runbook = ((string)annotations["runbook"]!).Split('#');
            var headings = Repository.Read(runbook[0]).Split('\n').Where(line => line.StartsWith('#'))
                .Select(line => Anchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));
            if (runbook.Length > 1)
                headings.ShouldContain(runbook[1], name);
        }
    }

    [Fact]
    public void Every_alert_asks_for_metrics_and_labels_that_are_documented()
    {
        foreach (var alert in Alerts())
            PromQl.Unknown((string)alert["expr"]!).ShouldBeEmpty((string)alert["alert"]!);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static IEnumerable<JsonNode> Alerts() =>
        Yaml.One(Repository.Read(Rules))["groups"]!.AsArray().SelectMany(group => group!["rules"]!.AsArray().Select(rule => rule!));

    private static string Name(string series) => series[..series.LastIndexOf(": ", StringComparison.Ordinal)];

    // Whoever is on fire at some moment of the hour and a half must be exactly these.
    private static string Tried(IEnumerable<string> series, params string[] alerts)
    {
        var test = new StringBuilder("- interval: 1m\n  input_series:\n");
        foreach (var line in series)
            test.Append("  - series: '").Append(Name(line)).Append("'\n    values: '").Append(line[(Name(line).Length + 2)..]).Append("'\n");
        test.Append("  promql_expr_test:\n  - expr: count by (alertname) (count_over_time(ALERTS{alertstate=\"firing\"}[90m]))\n    eval_time: 90m\n    exp_samples:\n");
        foreach (var alert in alerts)
            test.Append("    - { labels: '{alertname=\"").Append(alert).Append("\"}', value: 1 }\n");
        return test.ToString();
    }

    private async Task Promtool(IEnumerable<string> tests)
    {
        var file = Write("test.yaml", $"rule_files: ['{Repository.Path(Rules)}']\nevaluation_interval: 1m\ntests:\n{string.Concat(tests)}");
        var result = await Tool.Run("promtool", "", "test", "rules", file);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    [GeneratedRegex("[^a-z0-9 -]")]
    private static partial Regex Anchor();
}
