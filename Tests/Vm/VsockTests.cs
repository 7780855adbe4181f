using System.Diagnostics;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Vm;

/// <summary>AF_VSOCK of a real kernel at both ends: claims, locks, the filter by CID, half-closing. What is tried is in Tests/VsockGuest.</summary>
public sealed class VsockTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task What_the_node_s_side_of_Nitro_Enclaves_relies_on_holds()
    {
        var folder = Environment.GetEnvironmentVariable("ENCLAVES_VSOCK_GUEST_DIR");
        Assert.SkipUnless(folder is { Length: > 0 }, "ENCLAVES_VSOCK_GUEST_DIR does not name a folder with the machine; dev/test vm makes it");
        var start = new ProcessStartInfo("qemu-system-x86_64") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "512",
            "-kernel", Path.Combine(folder!, "vmlinuz"), "-initrd", Path.Combine(folder!, "initrd"), "-append", "console=ttyS0 panic=-1 quiet", "-serial", "stdio",
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var machine = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            var (console, errors) = (machine.StandardOutput.ReadToEndAsync(limit.Token), machine.StandardError.ReadToEndAsync(limit.Token));
            await machine.WaitForExitAsync(limit.Token);
            var said = await console;
            said.ShouldContain("vsock-guest ended with 0", Case.Sensitive, await errors);
            said.ShouldContain("holds: a peer of another CID is cut off");
        }
        finally
        {
            if (!machine.HasExited)
                machine.Kill();
        }
    }
}
