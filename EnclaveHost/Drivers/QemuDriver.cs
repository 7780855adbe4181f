using Enclaves.Channel;
using Enclaves.Channel.Transport;
using Enclaves.EnclaveHost.Options;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>
/// A virtual machine that boots what the enclave image holds, after it has been measured, with <c>vhost-device-vsock</c> as its vsock device. A
/// second kernel behind a real vsock; the memory is within the host's reach, so it is not confidential.
/// </summary>
internal sealed partial class QemuDriver(EnclaveOptions options, Action<string>? onConsole, ILogger<QemuDriver> logger) : IEnclaveDriver
{
    private const string Qemu = "qemu-system-x86_64";
    private const string VsockDevice = "vhost-device-vsock";
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
        // Some 50 MB of digests: nothing that a thread of the event loop should do.
        var image = await Task.Run(() => BootImage.Load(options.ImagePath, cancellation), cancellation);
        try
        {
            return await StartAsync(image, cancellation);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    private async Task<RunningMachine> StartAsync(BootImage image, CancellationToken cancellation)
    {
        _useKvm ??= await ChooseAcceleratorAsync(image, cancellation);
        var hugepages = Hugepages.IsMounted(options.HugepagesPath) ? options.HugepagesPath : null;
        LogMachine(
            options.CpuCount, options.MemoryMib, hugepages ?? "ordinary pages", _useKvm.Value ? "KVM" : "software emulation",
            options.ImagePath, image.Measurements.Pcr0);
        var device = await StartDeviceAsync(cancellation);
        try
        {
            var machine = new QemuMachine(
                image.KernelPath, image.RamdiskPath, image.CommandLine, VhostSocket, options.CpuCount, options.MemoryMib, hugepages, _useKvm.Value);
            var qemu = await ChildProcess.StartAsync(Qemu, Qemu, QemuCommandLine.For(machine), new ConsoleLog(onConsole));
            return new RunningMachine(image, qemu, device, new EnclaveDescription(
                $"qemu-{qemu.Id}", Cid, options.CpuCount, options.MemoryMib, [qemu.Id, device.Id],
                "virtual machine, not confidential; for development and tests", image.Measurements));
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

    private async Task<bool> ChooseAcceleratorAsync(BootImage image, CancellationToken cancellation)
    {
        if (options.Accelerator != "auto")
            return options.Accelerator == "kvm";
        if (await KvmProbe.RunAsync(image.KernelPath, cancellation) is not { } reason)
            return true;
        LogNoKvm(reason);
        return false;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information,
        Message = "virtual machine: {Cpus} CPUs, {MemoryMib} MiB on {Pages}, {Accelerator}, image {Image} (PCR0 {Pcr0}); NOT confidential, for development and tests")]
    private partial void LogMachine(int cpus, int memoryMib, string pages, string accelerator, string image, string pcr0);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "KVM is not used, the virtual machine is emulated: {Reason}")]
    private partial void LogNoKvm(string reason);

    private sealed class RunningMachine(BootImage image, ChildProcess qemu, ChildProcess device, EnclaveDescription description) : IRunningEnclave
    {
        public EnclaveDescription Description => description;

        public Task<string> Exited { get; } = WatchAsync(qemu, device);

        public async Task StopAsync(TimeSpan grace)
        {
            await qemu.StopAsync(grace);
            await device.DisposeAsync();
            image.Dispose();
        }

        // The device outlives its machine unless it is told.
        public async ValueTask DisposeAsync()
        {
            await qemu.DisposeAsync();
            await device.DisposeAsync();
            image.Dispose();
        }

        private static async Task<string> WatchAsync(ChildProcess qemu, ChildProcess device)
        {
            // A machine without its vsock device is cut off for good, so the end of either is the end of the enclave.
            var first = await Task.WhenAny(qemu.Exited, device.Exited);
            return first == qemu.Exited ? qemu.Obituary(await first) : device.Obituary(await first);
        }
    }
}
