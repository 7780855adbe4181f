using System.Net;
using Enclaves.Channel.Egress;
using Enclaves.Orchestrator.Egress;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class EgressPlanTests
{
    private static readonly IPAddress First = IPAddress.Parse("127.64.0.254");

    [Fact]
    public void Each_host_name_has_one_address_for_all_its_ports()
    {
        var plan = EgressPlan.Of(
            TestManifests.Of([], TestManifests.Container("app", outbound: [("db.example", 5432), ("API.example", 443), ("db.example", 80)])), First);
        plan.Destinations.Select(d => $"{d.Host}:{d.Port} at {d.Address}").ShouldBe(
            ["db.example:5432 at 127.64.0.254", "api.example:443 at 127.64.0.255", "db.example:80 at 127.64.0.254"]);
        plan.HostsFile().Split('\n').ShouldContain("127.64.0.254 db.example");
        plan.HostsFile().Split('\n').ShouldContain("127.64.0.255 api.example");
    }

    [Fact]
    public void More_names_than_one_octet_counts_go_on_in_the_next()
    {
        (string, int)[] three = [("a.example", 1), ("b.example", 1), ("c.example", 1)];
        var plan = EgressPlan.Of(TestManifests.Of([], TestManifests.Container("app", outbound: three)), First);
        plan.Destinations.Last().Address.ToString().ShouldBe("127.64.1.0");
    }

    [Fact]
    public void A_literal_address_stands_for_itself_and_needs_no_name()
    {
        var plan = EgressPlan.Of(TestManifests.Of([], TestManifests.Container("app", outbound: [("10.1.2.3", 443), ("2001:db8::7", 443)])), First);
        plan.Destinations.ShouldAllBe(d => d.IsLiteral);
        plan.Destinations.Select(d => d.Address.ToString()).ShouldBe(["10.1.2.3", "2001:db8::7"]);
        plan.HostsFile().ShouldNotContain("10.1.2.3");
    }

    [Theory]
    [InlineData("registry.example", "registry.example", 443)]
    [InlineData("registry.example:5000", "registry.example", 5000)]
    [InlineData("10.210.0.2:5000", "10.210.0.2", 5000)]
    [InlineData("[2001:db8::7]:5000", "2001:db8::7", 5000)]
    [InlineData("[2001:db8::7]", "2001:db8::7", 443)]
    public void A_registry_may_name_a_port(string registry, string host, int port)
    {
        var destination = EgressPlan.Of(TestManifests.Of([registry], TestManifests.Container("app")), First).Destinations.ShouldHaveSingleItem();
        (destination.Host, destination.Port, destination.Container).ShouldBe((host, port, "image-pull"));
    }

    [Fact]
    public void A_destination_of_two_containers_is_served_once()
    {
        var manifest = TestManifests.Of(
            ["shared.example"],
            TestManifests.Container("one", outbound: [("shared.example", 443)]),
            TestManifests.Container("two", outbound: [("shared.example", 443)]));
        EgressPlan.Of(manifest, First).Destinations.ShouldHaveSingleItem().Container.ShouldBe("one");
    }

    [Fact]
    public void What_one_container_wants_attested_no_other_reaches_without()
    {
        var plain = TestManifests.Container("one", outbound: [("peer.example", 443)]);
        var attested = TestManifests.Container("two", outbound: [("peer.example", 443)]);
        attested = attested with { Outbound = [attested.Outbound[0] with { Type = OutboundType.Proxy }] };
        EgressPlan.Of(TestManifests.Of([], plain, attested), First).Destinations.ShouldHaveSingleItem().Type.ShouldBe(OutboundType.Proxy);
        EgressPlan.Of(TestManifests.Of([], attested, plain), First).Destinations.ShouldHaveSingleItem().Type.ShouldBe(OutboundType.Proxy);
    }

    [Fact]
    public void A_port_that_leads_out_of_the_enclave_is_no_containers_to_listen_on() =>
        Should.Throw<EgressPlanException>(() => EgressPlan.Of(
            TestManifests.Of(["registry.example"], TestManifests.Container("one"), TestManifests.Container("two", exposed: 443)), First))
            .Message.ShouldContain("container two cannot listen on port 443: inside the enclave it leads to registry.example");

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("evil host")]
    [InlineData("127.0.0.1 localhost\n6.6.6.6 bank.example")]
    public void What_cannot_be_another_machine_is_refused(string host) =>
        Should.Throw<EgressPlanException>(
            () => EgressPlan.Of(TestManifests.Of([], TestManifests.Container("app", outbound: [(host, 443)])), First)).Message.ShouldContain("app");

    [Fact]
    public void A_registry_whose_port_is_no_number_is_refused() =>
        Should.Throw<EgressPlanException>(() => EgressPlan.Of(TestManifests.Of(["registry.example:x"], TestManifests.Container("app")), First));
}
