using System.Globalization;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>What a virtual machine is made of.</summary>
/// <param name="KernelPath">The kernel that it boots.</param>
/// <param name="RamdiskPath">Its ramdisk.</param>
/// <param name="KernelArguments">Its command line.</param>
/// <param name="VhostSocket">Socket of the vsock device's process.</param>
/// <param name="CpuCount">Virtual CPUs.</param>
/// <param name="MemoryMib">Memory.</param>
/// <param name="HugepagesPath">Where a hugetlbfs is mounted; null for ordinary pages.</param>
/// <param name="UseKvm">False for software emulation.</param>
internal sealed record QemuMachine(
    string KernelPath, string RamdiskPath, string KernelArguments, string VhostSocket, int CpuCount, int MemoryMib, string? HugepagesPath, bool UseKvm);

/// <summary>The command line of qemu: no device but a console and vsock, no way for the guest to reach another of the host's system calls.</summary>
internal static class QemuCommandLine
{
    public static IReadOnlyList<string> For(QemuMachine machine) =>
    [
        "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-parallel", "none", "-no-reboot",
        "-M", "q35,memory-backend=mem,usb=off,smbus=off,sata=off,vmport=off,hpet=off",
        // Below 128 MiB of translated code containerd and its start-up are translated again and again (half as much time once more
        // at 64 MiB); the default is a quarter of the memory again.
        "-accel", machine.UseKvm ? "kvm" : "tcg,thread=multi,tb-size=128",
        "-cpu", machine.UseKvm ? "host" : "max",
        "-smp", Number(machine.CpuCount), "-m", Number(machine.MemoryMib),
        // The vsock device is another process, which must see the guest's memory: share=on.
        "-object", Memory(machine),
        "-chardev", $"socket,id=vs,path={machine.VhostSocket}", "-device", "vhost-user-vsock-pci,chardev=vs",
        "-kernel", machine.KernelPath, "-initrd", machine.RamdiskPath, "-append", machine.KernelArguments,
        "-serial", "stdio",
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    ];

    // With prealloc a lack of hugepages is an error at start; without it the guest dies of SIGBUS when it touches the page.
    private static string Memory(QemuMachine machine) => machine.HugepagesPath is { } path
        ? $"memory-backend-file,id=mem,size={Number(machine.MemoryMib)}M,mem-path={path},share=on,prealloc=on,discard-data=on"
        : $"memory-backend-memfd,id=mem,size={Number(machine.MemoryMib)}M,share=on";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
