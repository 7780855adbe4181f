using Enclaves.Orchestrator.Nsm;
using Enclaves.Orchestrator.Processes;

namespace Enclaves.Orchestrator.Init;

/// <summary>What PID 1 does before it serves: everything here runs once, in this order, and a failure ends the enclave.</summary>
internal static class InitSystem
{
    // PID 1 is given 1024 by the kernel. A relayed connection takes two, and what we start inherits the limit.
    private const ulong OpenFiles = 65536;

    /// <summary>The table of host names: what /etc/hosts leads to, since the root cannot be written to.</summary>
    public const string HostsFile = "/run/enclave/hosts";

    /// <param name="args">The command line, handed on to the second start.</param>
    public static void Run(IReadOnlyList<string> args)
    {
        if (!Directory.Exists("/proc/1"))
        {
            Mounts.LeaveInitramfs();
            Mounts.MountAll();
            Mounts.SealRoot();
            StartAgain(args);
        }

        Libc.Check(Libc.SetResourceLimit(Libc.RlimitNofile, new Libc.ResourceLimit { Soft = OpenFiles, Hard = OpenFiles }), "raise the limit of open files");
        Mounts.EnableControllers();
        KernelModules.LoadAll(Report);
        SeedRandom();
        Loopback.Up();
        PrepareHostsFile();
        // Containers run without CAP_NET_BIND_SERVICE and share the enclave's network, in which nobody else can be impersonated.
        File.WriteAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
        Environment.SetEnvironmentVariable("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        Report($"kernel {KernelRelease()} is up after {Uptime()} s, the root is read-only");
    }

    /// <summary>uname -r.</summary>
    public static string KernelRelease() => ReadLine("/proc/sys/kernel/osrelease");

    /// <summary>The identity of this boot of the kernel.</summary>
    public static string BootId() => ReadLine("/proc/sys/kernel/random/boot_id");

    /// <summary>Takes the name over where the enclave is a machine of its own.</summary>
    public static void SetHostname(string name) =>
        Libc.Check(Libc.SetHostname(name, (nuint)System.Text.Encoding.UTF8.GetByteCount(name)), $"set the hostname '{name}'");

    // .NET looks for the kernel's random numbers in /dev when it starts, and never again when they are not there: what ran until here
    // has no /dev yet, so the same process begins anew.
    private static void StartAgain(IReadOnlyList<string> args)
    {
        using var argv = new NativeStrings(["/init", .. args]);
        using var envp = new NativeStrings(ChildLauncher.Variables());
        Libc.Check(Libc.Execve("/proc/self/exe", argv.Pointer, envp.Pointer), "start again with every file system mounted");
    }

    // Before anything makes a key. An enclave whose security module does not answer cannot prove anything either.
    private static void SeedRandom()
    {
        if (!NsmDevice.IsThere)
            return;
        using var nsm = new NsmDevice();
        Report($"{NsmEntropy.Seed(nsm)} random bytes are the security module's");
    }

    // containerd copies /etc/hosts, which is a link in the image, and fails without it.
    private static void PrepareHostsFile()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(HostsFile)!);
        File.WriteAllText(HostsFile, "127.0.0.1 localhost\n");
    }

    private static string Uptime() => ReadLine("/proc/uptime").Split(' ')[0];

    private static string ReadLine(string path) => File.ReadAllText(path).Trim();

    private static void Report(string text) => Console.Error.WriteLine($"orchestrator: init: {text}");
}
