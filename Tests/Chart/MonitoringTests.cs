using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class MonitoringTests
{
    [Fact]
    public async Task Nothing_of_it_is_there_by_default()
    {
        var rendered = await Helm.Template("required");
        rendered.OfKind("ServiceMonitor").ShouldBeEmpty();
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
}
