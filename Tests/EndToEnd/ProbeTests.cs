using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The sample with probes, and what is said of one that fails.</summary>
public sealed class ProbeTests
{
    [Fact]
    public async Task A_container_whose_probes_succeed_is_ready()
    {
        await using var probes = await Deployed.Apply("probes");
        await probes.UntilReady();
        (await probes.Answer()).ShouldContain("from inside the enclave");
        var app = (await probes.Status())["containers"]![0]!;
        app["restarts"]!.GetValue<int>().ShouldBe(0);
        app["ready"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task A_container_whose_readiness_probe_fails_gets_no_traffic_and_the_NED_says_why()
    {
        await using var probes = await Deployed.Apply("probes", change: yaml => yaml.Replace("httpGet: { path: /healthz", "httpGet: { path: /nothing", StringComparison.Ordinal));
        (await probes.Unhealthy("PluginUnhealthy")).ShouldContain("readiness probe failed: HTTP status 404 from /nothing");
        (await probes.EndpointCount()).ShouldBe(0);
    }
}
