using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class DashboardTests
{
    private static JsonNode Dashboard => JsonNode.Parse(Repository.Read("charts/enclaves/dashboards/enclaves.json"))!;

    private static IEnumerable<JsonNode> Panels => Dashboard["panels"]!.AsArray().Select(panel => panel!);

    private static IEnumerable<(string Panel, string Query)> Queries => Panels.SelectMany(panel =>
        (panel["targets"]?.AsArray() ?? []).Select(target => ((string)panel["title"]!, (string)target!["expr"]!)));

    [Fact]
    public async Task Every_query_can_be_read_and_asks_for_metrics_and_labels_that_are_documented()
    {
        var rules = new JsonArray();
        foreach (var (panel, query) in Queries)
        {
            PromQl.Unknown(query).ShouldBeEmpty(panel);
            PromQl.Names(query).ShouldNotBeEmpty(panel);
            // promtool reads queries only where they are rules; Grafana puts the time in.
            var expression = query.Replace("$__rate_interval", "5m", StringComparison.Ordinal);
            rules.Add((JsonNode)new JsonObject { ["record"] = $"panel:{rules.Count}", ["expr"] = expression });
        }

        rules.Count.ShouldBeGreaterThan(30);
        var file = Path.GetTempFileName();
        try
        {
            var groups = new JsonObject { ["groups"] = new JsonArray(new JsonObject { ["name"] = "panels", ["rules"] = rules }) };
            await File.WriteAllTextAsync(file, groups.ToJsonString(), TestContext.Current.CancellationToken);
            (await Tool.Run("promtool", "", "check", "rules", file)).Succeeded();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Every_documented_metric_of_the_platform_is_shown_somewhere_or_of_no_interest_over_time()
    {
        var shown = Queries.SelectMany(row => PromQl.Names(row.Query)).ToHashSet(StringComparer.Ordinal);
        PromQl.Documented().Keys.Where(name => !shown.Contains(name)).Order(StringComparer.Ordinal).ShouldBe(
        [
            "enclave_container_ready", "enclave_otlp_lines_sent_total", "enclave_otlp_up", "enclave_relay_connections_total", "enclave_relay_refused_total",
            "enclave_state", "enclave_state_transitions_total", "enclaves_ned_left_out",
            "enclaves_webhook_self_review_duration_seconds", "enclaves_webhook_self_reviews_total",
        ]);
    }

    [Fact]
    public void Panels_have_ids_of_their_own_and_places_that_do_not_overlap()
    {
        Panels.Select(panel => (int)panel["id"]!).ShouldBeUnique();
        var taken = new HashSet<(int X, int Y)>();
        foreach (var panel in Panels)
        {
            var place = panel["gridPos"]!;
            var (x, y, width, height) = ((int)place["x"]!, (int)place["y"]!, (int)place["w"]!, (int)place["h"]!);
            (x + width).ShouldBeLessThanOrEqualTo(24);
            foreach (var cell in Enumerable.Range(x, width).SelectMany(column => Enumerable.Range(y, height).Select(row => (column, row))))
                taken.Add(cell).ShouldBeTrue($"{panel["title"]} overlaps another panel at {cell}");
        }
    }

    [Fact]
    public void Every_panel_takes_the_data_source_that_is_chosen()
    {
        var variable = Dashboard["templating"]!["list"]!.AsArray().Single(item => (string?)item!["type"] == "datasource")!;
        ((string?)variable["query"]).ShouldBe("prometheus");
        foreach (var panel in Panels.Where(panel => (string?)panel["type"] != "row"))
        {
            ((string?)panel["datasource"]!["uid"]).ShouldBe($"${{{variable["name"]}}}", (string?)panel["title"]);
            panel["targets"]!.AsArray().ShouldAllBe(target => (string?)target!["datasource"]!["uid"] == (string?)panel["datasource"]!["uid"]);
            ((string)panel["description"]!).ShouldEndWith(".", Case.Sensitive, (string?)panel["title"]);
        }
    }

    [Fact]
    public async Task The_chart_hands_it_on_unchanged_to_the_sidecar_of_Grafana()
    {
        var map = (await Helm.Template("required", "--set", "grafanaDashboard.enabled=true")).OfKind("ConfigMap").ShouldHaveSingleItem();
        LabelSelector.Labels(map.Json)["grafana_dashboard"].ShouldBe("1");
        JsonNode.DeepEquals(JsonNode.Parse((string)map.Json["data"]!["enclaves.json"]!), Dashboard).ShouldBeTrue("helm has changed the dashboard");
    }
}
