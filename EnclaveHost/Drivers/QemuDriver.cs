using Enclaves.Channel;
using Enclaves.Channel.Transport;
using Enclaves.EnclaveHost.Options;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>
/// A virtual machine with the enclave image's kernel and ramdisk, and <c>vhost-device-vsock</c> as its vsock device. A second kernel behind
/// a real vsock; the memory is within the host's reach, so it is not confidential.
/// </summary>
internal sealed partial class QemuDriver(EnclaveOptions options, Action<string>? onConsole, ILogger<QemuDriver> logger) : IEnclaveDriver
{
    private const string Qemu = "qemu-system-x86_64";
    private const string VsockDevice = "vhost-device-vsock";
    private static readonly string[] ImageFiles = ["vmlinuz", "initrd", "cmdline"];
    private static readonly TimeSpan DeviceTime = TimeSpan.FromSeconds(30);

    private readonly string _folder = Path.GetFullPath(options.RunFolder);
    private bool? _useKvm;

    public string Name => "qemu";

    public bool IsConfidential => false;

    // Each pod has sockets of its own, so every pod's enclave may have the same number.
    public uint Cid => 16;

    public IHostTransport Transport => field ??= HostTransport.For(ChannelEndpoint.Hybrid(VsockSocket, EnclavePorts.Control));

    private string VsockSocket => Path.Combine(_folder, "vsock.sock");

    private string VhostSocket => Path.Combine(_folder, "vhost.sock");

    public async Task<IRunningEnclave> StartAsync(CancellationToken cancellation)
    {
        foreach (var file in ImageFiles)
        {
            if (!File.Exists(Path.Combine(options.ImageFolder, file)))
                throw new EnclaveStartException($"{options.ImageFolder}/{file} is missing; say with --image-dir where the enclave image is");
        }

        _useKvm ??= await ChooseAcceleratorAsync(cancellation);
        var hugepages = Hugepages.IsMounted(options.HugepagesPath) ? options.HugepagesPath : null;
        LogMachine(options.CpuCount, options.MemoryMib, hugepages ?? "ordinary pages", _useKvm.Value ? "KVM" : "software emulation");
        var device = await StartDeviceAsync(cancellation);
        try
        {
            var arguments = (await File.ReadAllTextAsync(Path.Combine(options.ImageFolder, "cmdline"), cancellation)).Trim();
            var machine = new QemuMachine(
                options.ImageFolder, arguments, VhostSocket, options.CpuCount, options.MemoryMib, hugepages, _useKvm.Value);
            var qemu = await ChildProcess.StartAsync(Qemu, Qemu, QemuCommandLine.For(machine), new ConsoleLog(onConsole));
            return new RunningMachine(qemu, device, new EnclaveDescription(
                $"qemu-{qemu.Id}", Cid, options.CpuCount, options.MemoryMib, [qemu.Id, device.Id], "virtual machine, not confidential; for development and tests"));
        }
        catch
        {
            await device.DisposeAsync();
            throw;
        }
    }

    // One process a boot: it keeps state of the guest it served, and leaves its sockets behind.
    private async Task<ChildProcess> StartDeviceAsync(CancellationToken cancellation)
    {
        File.Delete(VsockSocket);
        File.Delete(VhostSocket);
        string[] arguments = ["--guest-cid", Cid.ToString(System.Globalization.CultureInfo.InvariantCulture), "--socket", VhostSocket, "--uds-path", VsockSocket];
        var device = await ChildProcess.StartAsync(VsockDevice, VsockDevice, arguments, new ConsoleLog(onConsole));
        try
        {
            var deadline = DateTime.UtcNow + DeviceTime;
            while (!File.Exists(VhostSocket) || !File.Exists(VsockSocket))
            {
                if (device.Exited.IsCompleted)
                    throw new EnclaveStartException($"{device.Obituary(await device.Exited)}; check that it is installed and {_folder} is writable");
                if (DateTime.UtcNow > deadline)
                    throw new EnclaveStartException($"{VsockDevice} made no socket in {_folder} within {DeviceTime.TotalSeconds} s");
                await Task.Delay(10, cancellation);
            }

            return device;
        }
        catch
        {
            await device.DisposeAsync();
            throw;
        }
    }

    private async Task<bool> ChooseAcceleratorAsync(CancellationToken cancellation)
    {
        if (options.Accelerator != "auto")
            return options.Accelerator == "kvm";
        if (await KvmProbe.RunAsync(Path.Combine(options.ImageFolder, "vmlinuz"), cancellation) is not { } reason)
            return true;
        LogNoKvm(reason);
        return false;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information,
        Message = "virtual machine: {Cpus} CPUs, {MemoryMib} MiB on {Pages}, {Accelerator}; NOT confidential, for development and tests")]
    private partial void LogMachine(int cpus, int memoryMib, string pages, string accelerator);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "KVM is not used, the virtual machine is emulated: {Reason}")]
    private partial void LogNoKvm(string reason);

    private sealed class RunningMachine(ChildProcess qemu, ChildProcess device, EnclaveDescription description) : IRunningEnclave
    {
        public EnclaveDescription Description => description;

        public Task<string> Exited { get; } = WatchAsync(qemu, device);

        public async Task StopAsync(TimeSpan grace)
        {
            await qemu.StopAsync(grace);
            await device.DisposeAsync();
        }

        // The device outlives its machine unless it is told.
        public async ValueTask DisposeAsync()
        {
            await qemu.DisposeAsync();
            await device.DisposeAsync();
        }

        private static async Task<string> WatchAsync(ChildProcess qemu, ChildProcess device)
        {
            // A machine without its vsock device is cut off for good, so the end of either is the end of the enclave.
            var first = await Task.WhenAny(qemu.Exited, device.Exited);
            return first == qemu.Exited ? qemu.Obituary(await first) : device.Obituary(await first);
        }
    }
}
