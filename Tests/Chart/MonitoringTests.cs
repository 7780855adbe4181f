using System.Text.Json.Nodes;
using Enclaves.Api;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class MonitoringTests
{
    [Fact]
    public async Task Nothing_of_it_is_there_by_default()
    {
        var rendered = await Helm.Template("required");
        foreach (var kind in new[] { "ServiceMonitor", "PodMonitor", "PrometheusRule", "ConfigMap" })
            rendered.OfKind(kind).ShouldBeEmpty();
        rendered.OfKind("Service").SelectMany(service => service.Json["spec"]!["ports"]!.AsArray()).ShouldAllBe(port => (string?)port!["name"] == "https");
    }

    [Theory]
    [InlineData("webhook")]
    [InlineData("reconciler")]
    public async Task Each_monitor_leads_over_one_service_to_the_port_of_its_part(string part)
    {
        var rendered = await Helm.Template("everything");
        var monitor = rendered.Get("ServiceMonitor", $"{Helm.Release}-{part}").Json["spec"]!;
        var endpoint = monitor["endpoints"]!.AsArray().ShouldHaveSingleItem()!;
        ((string?)endpoint["path"]).ShouldBe("/metrics");
        var service = rendered.OfKind("Service").Where(item => LabelSelector.Matches(monitor["selector"], LabelSelector.Labels(item.Json))).ShouldHaveSingleItem();
        var port = service.Json["spec"]!["ports"]!.AsArray().Single(port => (string?)port!["name"] == (string?)endpoint["port"])!;
        var pod = rendered.OfKind("Deployment").Select(item => item.Pod!).Where(pod => LabelSelector.Matches(
            new JsonObject { ["matchLabels"] = service.Json["spec"]!["selector"]!.DeepClone() }, LabelSelector.Labels(pod))).ShouldHaveSingleItem();
        var ports = pod["spec"]!["containers"]![0]!["ports"]!.AsArray();
        ports.Single(of => (string?)of!["name"] == (string?)port["targetPort"])!["containerPort"]!.GetValue<long>().ShouldBe((long)port["port"]!);
    }

    [Fact]
    public async Task The_monitors_carry_the_labels_that_a_prometheus_selects_by()
    {
        var monitors = (await Helm.Template("everything")).OfKind("ServiceMonitor");
        monitors.Select(monitor => LabelSelector.Labels(monitor.Json)["release"]).ShouldBe(["prometheus", "prometheus"]);
    }

    // Prometheus would call a NED's namespace exported_namespace, and every alert that names it would name the platform's.
    [Fact]
    public async Task The_monitors_leave_the_labels_of_metrics_as_they_are()
    {
        var rendered = await Helm.Template("everything");
        var endpoints = rendered.OfKind("ServiceMonitor").SelectMany(monitor => monitor.Json["spec"]!["endpoints"]!.AsArray())
            .Concat(rendered.OfKind("PodMonitor").SelectMany(monitor => monitor.Json["spec"]!["podMetricsEndpoints"]!.AsArray())).ToList();
        endpoints.Count.ShouldBe(3);
        endpoints.ShouldAllBe(endpoint => (bool?)endpoint!["honorLabels"] == true);
    }

    [Fact]
    public async Task The_pod_monitor_finds_enclave_pods_in_every_namespace_at_the_port_that_injection_names()
    {
        var rendered = await Helm.Template("everything");
        var monitor = rendered.OfKind("PodMonitor").ShouldHaveSingleItem().Json["spec"]!;
        ((bool?)monitor["namespaceSelector"]!["any"]).ShouldBe(true);
        LabelSelector.Matches(monitor["selector"], new Dictionary<string, string> { [NedLabels.Inject] = NedLabels.InjectValue }).ShouldBeTrue();
        var endpoint = monitor["podMetricsEndpoints"]!.AsArray().ShouldHaveSingleItem()!;
        ((string?)endpoint["port"]).ShouldBe("http");
        ((string?)endpoint["path"]).ShouldBe("/metrics");
    }

    [Fact]
    public async Task A_collector_of_traces_is_told_to_the_reconciler_in_the_variables_of_the_standard()
    {
        var variables = (await Helm.Template("everything")).Get("Deployment", $"{Helm.Release}-reconciler").Pod!["spec"]!["containers"]![0]!["env"]!.AsArray()
            .ToDictionary(variable => (string)variable!["name"]!, variable => (string)variable!["value"]!);
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"].ShouldBe("http://collector.monitoring:4318");
        variables["OTEL_EXPORTER_OTLP_PROTOCOL"].ShouldBe("http/protobuf");
        (await Helm.Template("required")).Get("Deployment", $"{Helm.Release}-reconciler").Text.ShouldNotContain("OTEL_");
    }
}
