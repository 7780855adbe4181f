using System.Net.Sockets;
using Enclaves.EnclaveHost.Node;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.EnclaveHost.Node;

public sealed class NodeCheckTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("node").FullName;

    public NodeCheckTests()
    {
        Write("dev/nitro_enclaves", "");
        Write("sys/module/nitro_enclaves/parameters/ne_cpus", "2-3,6\n");
        Write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
        Write("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "1\n");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_node_that_has_everything_lacks_nothing() => Look(2, 2048).ShouldAllBe(finding => finding.Problem == null);

    [Fact]
    public void What_is_too_little_is_told_in_numbers()
    {
        Lacks(Look(4, 2048)).ShouldBe("lacks  CPUs in the node's enclave pool: are 3, the enclave asks for 4; raise cpu_count in /etc/nitro_enclaves/allocator.yaml on the node "
            + "and run: systemctl restart nitro-enclaves-allocator, or ask for less in spec.enclave.cpuCount");
        Lacks(Look(2, 2050)).ShouldContain("huge pages: are free for 2048 MiB, the enclave asks for 2050 MiB; raise memory_mib in ");
    }

    [Theory]
    [InlineData("dev/nitro_enclaves", "--enclave-options Enabled=true")]
    [InlineData("sys/module/nitro_enclaves/parameters/ne_cpus", "modprobe nitro_enclaves")]
    public void What_is_not_there_is_told_with_the_command_that_mends_it(string file, string command)
    {
        File.Delete(Path.Combine(_root, file));
        Lacks(Look(2, 2048)).ShouldContain(command);
    }

    [Fact]
    public void A_profile_that_blocks_vsock_and_a_kernel_without_it_are_told_apart()
    {
        Lacks(Look(2, 64, SocketError.AccessDenied)).ShouldContain("seccomp profile, as RuntimeDefault of newer container runtimes does; let the chart put its profile on the nodes");
        Lacks(Look(2, 64, SocketError.AddressFamilyNotSupported)).ShouldContain("modprobe vsock");
    }

    [Fact]
    public void An_image_without_nitro_cli() =>
        Lacks(new NodeCheck(_root, () => SocketError.Success, _ => null).Look(2, 64, "nitro-cli")).ShouldContain("'nitro-cli' is not in the EnclaveHost image");

    [Fact]
    public void A_profile_is_written_once_and_again_when_it_is_another()
    {
        Write("profile.json", "{}");
        var destination = Path.Combine(_root, "kubelet/seccomp/enclaves/enclave-host.json");
        using var output = new StringWriter();
        var installer = new ProfileInstaller(Path.Combine(_root, "profile.json"), destination, output);
        installer.Install();
        installer.Install();
        output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldHaveSingleItem();
        File.WriteAllText(destination, "changed");
        installer.Install();
        File.ReadAllText(destination).ShouldBe("{}");
        Directory.EnumerateFiles(Path.GetDirectoryName(destination)!).ShouldHaveSingleItem();
    }

    private static string Lacks(IReadOnlyList<NodeFinding> findings) => findings.Where(finding => finding.Problem is not null).ShouldHaveSingleItem().ToString();

    private IReadOnlyList<NodeFinding> Look(int cpus, int memory, SocketError vsock = SocketError.Success) =>
        new NodeCheck(_root, () => vsock, name => $"/usr/bin/{name}").Look(cpus, memory, "nitro-cli");

    private void Write(string file, string text)
    {
        var path = Path.Combine(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
