using System.Runtime.InteropServices;

namespace Enclaves.Orchestrator.Init;

/// <summary>The file systems of an enclave.</summary>
internal static class Mounts
{
    // All of it lives in memory: each has a bound of its own, and together they leave some for the containers' processes.
    private static readonly (string Source, string Target, string Type, ulong Flags, string? Data)[] Table =
    [
        ("proc", "/proc", "proc", Libc.MsNosuid | Libc.MsNodev | Libc.MsNoexec, null),
        ("sysfs", "/sys", "sysfs", Libc.MsNosuid | Libc.MsNodev | Libc.MsNoexec, null),
        ("devtmpfs", "/dev", "devtmpfs", Libc.MsNosuid, "mode=755"),
        ("devpts", "/dev/pts", "devpts", Libc.MsNosuid | Libc.MsNoexec, "newinstance,mode=620,ptmxmode=666"),
        ("tmpfs", "/dev/shm", "tmpfs", Libc.MsNosuid | Libc.MsNodev, "mode=1777,size=5%"),
        ("mqueue", "/dev/mqueue", "mqueue", Libc.MsNosuid | Libc.MsNodev | Libc.MsNoexec, null),
        ("tmpfs", "/run", "tmpfs", Libc.MsNosuid | Libc.MsNodev, "mode=755,size=5%"),
        ("tmpfs", "/tmp", "tmpfs", Libc.MsNosuid | Libc.MsNodev, "mode=1777,size=10%"),
        ("tmpfs", "/var/log", "tmpfs", Libc.MsNosuid | Libc.MsNodev | Libc.MsNoexec, "mode=755,size=64m"),
        ("tmpfs", "/var/lib/containerd", "tmpfs", Libc.MsNosuid, "mode=711,size=70%"),
        ("cgroup2", "/sys/fs/cgroup", "cgroup2", Libc.MsNosuid | Libc.MsNodev | Libc.MsNoexec, null),
    ];

    /// <summary>
    /// Makes the root a mount that has a parent. A container runtime swaps roots with pivot_root, which the kernel refuses on the
    /// initramfs; the same files bound over it satisfy the kernel and cost no memory, where a copy would double them.
    /// </summary>
    public static void LeaveInitramfs()
    {
        const string root = "/.root";
        Directory.CreateDirectory(root);
        Libc.Check(Libc.Mount("/", root, null, Libc.MsBind, null), "bind the root");
        Directory.SetCurrentDirectory(root);
        Libc.Check(Libc.Mount(".", "/", null, Libc.MsMove, null), "move the root");
        Libc.Check(Libc.Chroot("."), "change the root");
        Directory.SetCurrentDirectory("/");
    }

    /// <summary>Mounts everything that is not mounted yet.</summary>
    /// <exception cref="IOException">Names the mount that failed.</exception>
    public static void MountAll()
    {
        foreach (var (source, target, type, flags, data) in Table)
        {
            Directory.CreateDirectory(target);
            if (Libc.Mount(source, target, type, flags, data) < 0 && Marshal.GetLastPInvokeError() != Libc.Ebusy)
                throw new IOException($"mount {type} on {target}: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        if (!File.Exists("/dev/ptmx"))
            File.CreateSymbolicLink("/dev/ptmx", "pts/ptmx");

        // Container runtimes expect mounts to propagate from the root, as an init system arranges it.
        Libc.Check(Libc.Mount("none", "/", null, Libc.MsRec | Libc.MsShared, null), "share the mounts");
    }

    /// <summary>
    /// Nothing in the image changes from here on. Files that do are in the file systems above it, none of which has programs in it but
    /// those of containers.
    /// </summary>
    /// <exception cref="IOException">The kernel refuses, or the root can be written to all the same.</exception>
    public static void SealRoot()
    {
        const string mark = "/.sealed";
        Libc.Check(Libc.Mount("none", "/", null, Libc.MsRemount | Libc.MsBind | Libc.MsRdonly, null), "make the root read-only");
        try
        {
            File.WriteAllText(mark, "");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }

        throw new IOException($"make the root read-only: {mark} could be written all the same");
    }

    /// <summary>Lets child cgroups use every controller that the kernel has.</summary>
    public static void EnableControllers()
    {
        const string control = "/sys/fs/cgroup/cgroup.subtree_control";
        foreach (var controller in File.ReadAllText("/sys/fs/cgroup/cgroup.controllers").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            File.WriteAllText(control, $"+{controller}");
    }
}
