using System.Net;
using Enclaves.Channel.Egress;
using Enclaves.Channel.Manifest;
using Enclaves.EnclaveHost.Egress;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class EgressPolicyTests
{
    private readonly EgressPolicy _policy = new(new EnclaveManifest
    {
        Schema = EnclaveManifest.CurrentSchema,
        Name = "shop",
        Namespace = "default",
        Containers = [Container("app", ("api.example.com", 443)), Container("batch", ("10.1.2.3", 5432))],
        Registries = ["registry.example.com", "10.210.0.2:5000", "[fd00::5]:5001"],
    });

    [Theory]
    [InlineData("app", "api.example.com", 443)]
    [InlineData("app", "API.Example.com.", 443)]
    [InlineData("batch", "10.1.2.3", 5432)]
    [InlineData("image-pull", "registry.example.com", 443)]
    [InlineData("image-pull", "10.210.0.2", 5000)]
    [InlineData("image-pull", "fd00::5", 5001)]
    public void What_the_manifest_lists_is_allowed(string container, string host, int port) =>
        _policy.WhyNot(new EgressRequest(host, port, container)).ShouldBeNull();

    [Theory]
    [InlineData("app", "api.example.com", 80)]
    [InlineData("app", "evil.example.com", 443)]
    [InlineData("app", "registry.example.com", 443)]
    [InlineData("batch", "api.example.com", 443)]
    [InlineData("image-pull", "api.example.com", 443)]
    [InlineData("image-pull", "registry.example.com", 5000)]
    public void What_is_another_containers_or_nobodys_is_refused_with_the_next_step(string container, string host, int port)
    {
        var reason = _policy.WhyNot(new EgressRequest(host, port, container)).ShouldNotBeNull();
        reason.ShouldContain(host);
        reason.ShouldContain("add it to");
    }

    [Fact]
    public void What_needs_attestation_is_refused_and_says_so()
    {
        var app = Container("app", ("api.example.com", 443), ("peer.example.com", 7000));
        var typed = app with { Outbound = [app.Outbound[0], app.Outbound[1] with { Type = OutboundType.Enclave }] };
        var policy = new EgressPolicy(new EnclaveManifest
        {
            Schema = EnclaveManifest.CurrentSchema, Name = "shop", Namespace = "default", Containers = [typed], Registries = [],
        });
        policy.WhyNot(new EgressRequest("api.example.com", 443, "app")).ShouldBeNull();
        policy.WhyNot(new EgressRequest("peer.example.com", 7000, "app")).ShouldNotBeNull().ShouldContain("needs attestation");
    }

    [Fact]
    public void A_container_that_is_not_in_the_manifest_reaches_nothing() =>
        _policy.WhyNot(new EgressRequest("api.example.com", 443, "ghost")).ShouldBe("'ghost' is not a container of the manifest");

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("169.254.169.254")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd00:ec2::23")]
    [InlineData("fe80::1")]
    [InlineData("224.0.0.1")]
    [InlineData("10.0.0.7")]
    [InlineData("10.9.9.9")]
    public void What_only_the_node_may_reach_is_refused_whatever_name_led_to_it(string address) =>
        Guard().WhyNot(IPAddress.Parse(address)).ShouldNotBeNull();

    [Theory]
    [InlineData("10.1.2.3")]
    [InlineData("93.184.216.34")]
    [InlineData("2606:2800::1")]
    public void Everything_else_is_reachable(string address) => Guard().WhyNot(IPAddress.Parse(address)).ShouldBeNull();

    [Fact]
    public void The_option_opens_what_would_be_closed_and_no_more()
    {
        var guard = Guard("10.0.0.7/32");
        guard.WhyNot(IPAddress.Parse("10.0.0.7")).ShouldBeNull();
        guard.WhyNot(IPAddress.Parse("169.254.169.254")).ShouldNotBeNull();
    }

    private static DestinationGuard Guard(params string[] allowed) =>
        new([.. allowed.Select(IPNetwork.Parse)], [IPNetwork.Parse("10.0.0.7/32")], () => [IPAddress.Parse("10.9.9.9")]);

    private static ManifestContainer Container(string name, params (string Host, int Port)[] outbound) => new()
    {
        Name = name,
        Role = ContainerRole.User,
        Image = "app:1",
        Command = [],
        Args = [],
        Env = [],
        Ports = [],
        Outbound = [.. outbound.Select(o => new ManifestOutbound { Host = o.Host, Port = o.Port })],
        RestartPolicy = "Always",
    };
}
