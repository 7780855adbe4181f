namespace Enclaves.EnclaveHost.Drivers;

/// <summary>
/// Finds out whether KVM runs guests here. That /dev/kvm opens says little: on some nested hosts a guest fails at its first model-specific
/// register, or never comes to an end. So the image's kernel is run without a root file system until it says that it has none.
/// </summary>
internal static class KvmProbe
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Null when KVM works, else why not.</summary>
    public static async Task<string?> RunAsync(string kernel, CancellationToken cancellation)
    {
        if (WhyNotOpen() is { } reason)
            return reason;
        string[] arguments =
        [
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-M", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256",
            "-kernel", kernel, "-append", "console=ttyS0 panic=-1 reboot=t", "-serial", "stdio",
        ];
        var console = new ConsoleLog(null);
        await using var guest = await ChildProcess.StartAsync("the KVM probe", "qemu-system-x86_64", arguments, console);
        await Task.WhenAny(guest.Exited, Task.Delay(Limit, cancellation));
        cancellation.ThrowIfCancellationRequested();
        if (!guest.Exited.IsCompleted)
            return $"/dev/kvm opens, but the kernel did not come to its end within {Limit.TotalSeconds} s";
        // A guest that crashes in its first instruction also ends qemu without an error: only the kernel's own words count.
        return console.Last(int.MaxValue).Any(line => line.Contains("Kernel panic", StringComparison.Ordinal))
            ? null
            : guest.Obituary(await guest.Exited);
    }

    private static string? WhyNotOpen()
    {
        try
        {
            using var device = new FileStream("/dev/kvm", FileMode.Open, FileAccess.ReadWrite);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }
}
