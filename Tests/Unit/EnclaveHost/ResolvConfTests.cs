using Enclaves.EnclaveHost.Egress;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class ResolvConfTests
{
    [Fact]
    public void Servers_and_the_last_search_list_are_read_and_what_is_neither_is_passed_over()
    {
        string[] lines =
        [
            "# of a kubelet", "search old.example", "nameserver 10.96.0.10", "nameserver fd00::10", "nameserver nonsense", "nameserver", "",
            "search team.svc.cluster.local svc.cluster.local\tcluster.local", "options ndots:5", "nameserver 10.0.0.1", "nameserver 10.0.0.2",
        ];
        var read = ResolvConf.Parse(lines);
        read.Servers.Select(server => server.ToString()).ShouldBe(["10.96.0.10:53", "[fd00::10]:53", "10.0.0.1:53"]);
        read.Search.ShouldBe(["team.svc.cluster.local", "svc.cluster.local", "cluster.local"]);
    }

    [Fact]
    public void A_file_that_does_not_exist_says_nothing() => ResolvConf.Read("/nowhere/resolv.conf").Servers.ShouldBeEmpty();
}
