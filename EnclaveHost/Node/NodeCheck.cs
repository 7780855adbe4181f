using System.Globalization;
using System.Net.Sockets;

namespace Enclaves.EnclaveHost.Node;

/// <summary>What a node was found to have, or to lack, for a Nitro Enclave.</summary>
/// <param name="What">What was looked at.</param>
/// <param name="Problem">What is wrong with it, in one sentence; null where nothing is.</param>
/// <param name="Remedy">What mends it, and where; empty where nothing is wrong.</param>
internal sealed record NodeFinding(string What, string? Problem = null, string Remedy = "")
{
    /// <summary>One line for a log or a terminal.</summary>
    public override string ToString() => Problem is null ? $"ok     {What}" : $"lacks  {What}: {Problem}; {Remedy}";
}

/// <summary>
/// Looks at what a Nitro Enclave needs of its node, from inside the pod: device, vsock, CPU pool, huge pages, nitro-cli. Each lack has the command
/// that mends it. Where Linux keeps these facts: Documentation/virt/ne_overview.rst, Documentation/admin-guide/mm/hugetlbpage.rst.
/// </summary>
/// <param name="root">Where the file system begins; another one in tests.</param>
/// <param name="tryVsock">Makes an AF_VSOCK socket and closes it: how that went.</param>
/// <param name="findProgram">Path of a program, or null.</param>
internal sealed class NodeCheck(string root, Func<SocketError> tryVsock, Func<string, string?> findProgram)
{
    private const string Device = "/dev/nitro_enclaves";
    private const string CpuPool = "/sys/module/nitro_enclaves/parameters/ne_cpus";
    private const string Pages = "/sys/kernel/mm/hugepages";

    /// <summary>Looks at everything.</summary>
    /// <param name="cpuCount">CPUs of the enclave.</param>
    /// <param name="memoryMib">Its memory.</param>
    /// <param name="cli">Name or path of nitro-cli.</param>
    public IReadOnlyList<NodeFinding> Look(int cpuCount, int memoryMib, string cli) =>
        [LookAtDevice(), LookAtVsock(), LookAtCpus(cpuCount), LookAtPages(memoryMib), LookAtCli(cli)];

    private NodeFinding LookAtDevice()
    {
        const string what = $"the device {Device}";
        try
        {
            using var device = new FileStream(In(Device), FileMode.Open, FileAccess.ReadWrite);
            return new NodeFinding(what);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new NodeFinding(what, "is not there",
                "launch the instance with --enclave-options Enabled=true, load the module (modprobe nitro_enclaves), and let the device plugin hand it to the pod");
        }
        catch (UnauthorizedAccessException)
        {
            return new NodeFinding(what, "may not be opened by this user", "set the chart's enclave.deviceGroup to the number of its group (on the node: stat -c %g /dev/nitro_enclaves)");
        }
        catch (IOException e)
        {
            return new NodeFinding(what, $"cannot be opened: {e.Message.TrimEnd('.')}", "see the node's kernel log: dmesg | grep nitro_enclaves");
        }
    }

    private NodeFinding LookAtVsock() => tryVsock() switch
    {
        SocketError.Success => new NodeFinding("sockets of AF_VSOCK"),
        SocketError.AccessDenied => new NodeFinding("sockets of AF_VSOCK", "are blocked by the pod's seccomp profile, as RuntimeDefault of newer container runtimes does",
            "let the chart put its profile on the nodes (enclave.seccompInstaller.enabled=true) and use it (enclave.seccompProfile=Localhost:enclaves/enclave-host.json)"),
        _ => new NodeFinding("sockets of AF_VSOCK", "are not known to the node's kernel", "load the modules on the node: modprobe vsock vhost_vsock"),
    };

    private NodeFinding LookAtCpus(int wanted)
    {
        const string what = "CPUs in the node's enclave pool";
        const string remedy = "raise cpu_count in /etc/nitro_enclaves/allocator.yaml on the node and run: systemctl restart nitro-enclaves-allocator";
        if (Read(CpuPool) is not { } pool)
            return new NodeFinding(what, "cannot be read: the module nitro_enclaves is not loaded", "run on the node: modprobe nitro_enclaves");
        var count = CountCpus(pool);
        return count >= wanted
            ? new NodeFinding(what)
            : new NodeFinding(what, string.Create(CultureInfo.InvariantCulture, $"are {count}, the enclave asks for {wanted}"), $"{remedy}, or ask for less in spec.enclave.cpuCount");
    }

    // All that there are: how many of the free ones this pod may use, its limits say.
    private NodeFinding LookAtPages(int wantedMib)
    {
        const string what = "huge pages";
        var folder = In(Pages);
        if (!Directory.Exists(folder))
            return new NodeFinding(what, "are not known to the node's kernel", "use a node whose kernel has them (CONFIG_HUGETLBFS)");
        var freeMib = Directory.EnumerateDirectories(folder, "hugepages-*kB").Sum(size =>
            Number(Path.GetFileName(size)["hugepages-".Length..^"kB".Length]) * Number(File.ReadAllText(Path.Combine(size, "free_hugepages"))) / 1024);
        return freeMib >= wantedMib
            ? new NodeFinding(what)
            : new NodeFinding(what, string.Create(CultureInfo.InvariantCulture, $"are free for {freeMib} MiB, the enclave asks for {wantedMib} MiB"),
                "raise memory_mib in /etc/nitro_enclaves/allocator.yaml on the node and run: systemctl restart nitro-enclaves-allocator kubelet, or ask for less in spec.enclave.memory");
    }

    private NodeFinding LookAtCli(string cli) => findProgram(cli) is null
        ? new NodeFinding("the program nitro-cli", $"'{cli}' is not in the EnclaveHost image", "use an image that was built with it, or say where it is with --nitro-cli")
        : new NodeFinding("the program nitro-cli");

    // As "2-3,6": lists of CPUs (Documentation/admin-guide/cputopology.rst).
    private static int CountCpus(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Sum(part => part.Split('-') is [var first, var last] ? (int)Math.Max(0, Number(last) - Number(first) + 1) : 1);

    private static long Number(string text) => long.TryParse(text, NumberStyles.None | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private string? Read(string path)
    {
        try
        {
            return File.ReadAllText(In(path)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string In(string path) => root.TrimEnd('/') + path;
}
