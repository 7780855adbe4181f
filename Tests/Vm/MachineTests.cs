using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Vm;

/// <summary>The enclave image in a virtual machine: a kernel of its own behind a real vsock.</summary>
public sealed class MachineTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task It_boots_pulls_its_container_and_answers_from_another_kernel()
    {
        await using var machine = Machine.Start();
        await machine.Host.UntilReadyAsync(Machine.ReadyLimit);
        var status = await machine.Host.StatusAsync();
        var kernel = status["kernelRelease"]!.GetValue<string>();
        kernel.ShouldNotBe((await File.ReadAllTextAsync("/proc/sys/kernel/osrelease", TestContext.Current.CancellationToken)).Trim());
        status["bootId"]!.GetValue<string>().ShouldNotBe(
            (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", TestContext.Current.CancellationToken)).Trim());
        (await HostProcess.AskAsync(machine.IngressPort)).ShouldContain(kernel);
        await Eventually.Holds("the connection has ended on the enclave's side too", Soon, async () =>
            (await machine.Host.StatusAsync())["relays"]!.AsArray().Single(relay => (string?)relay!["name"] == "ingress:app:8080")!["open"]!.GetValue<int>() == 0,
            machine.Host.Explain);
        status["confidential"]!.GetValue<bool>().ShouldBeFalse();
        status["relays"]!.AsArray().Single(relay => (string?)relay!["name"] == "egress")!["bytesIn"]!.GetValue<long>()
            .ShouldBeGreaterThan(0, "the image came in through egress");
    }

    [Fact]
    public async Task A_killed_machine_is_booted_again()
    {
        await using var machine = Machine.Start();
        await machine.Host.UntilReadyAsync(Machine.ReadyLimit);
        ProcessTable.Signal(Qemu(machine), ProcessTable.SigKill);
        // A boot that is left without an answer is given up after two minutes, and made again.
        await Eventually.Holds("a later boot is running", Machine.ReadyLimit + TimeSpan.FromMinutes(2), async () =>
        {
            var status = await machine.Host.StatusAsync();
            return (int?)status["boots"] >= 2 && (string?)status["state"] == "Running";
        }, machine.Host.Explain);
        (await HostProcess.AskAsync(machine.IngressPort)).ShouldContain("hello");
    }

    [Fact]
    public async Task Killing_the_host_takes_the_machine_and_its_vsock_device_with_it()
    {
        // As soon as it is powered on: nothing may depend on the guest.
        await using var machine = Machine.Start("nowhere.invalid/none:1");
        await machine.Host.UntilStateAsync("Booting", Soon);
        await Eventually.Holds("machine and device run", Soon, () => Task.FromResult(machine.Host.Processes().Count == 3), machine.Host.Explain);
        machine.Host.Signal(ProcessTable.SigKill);
        await machine.Host.UntilNothingIsLeftAsync(Soon);
    }

    [Fact]
    public async Task A_stop_ends_the_machine_within_the_grace()
    {
        await using var machine = Machine.Start("nowhere.invalid/none:1", "--stop-grace", "20s");
        await machine.Host.UntilStateAsync("ManifestSynced", Machine.ReadyLimit);
        machine.Host.Signal(ProcessTable.SigTerm);
        (await machine.Host.ExitAsync(TimeSpan.FromSeconds(22))).ShouldBe(0, machine.Host.Output);
        machine.Host.Processes().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_the_kernel_said_last_is_part_of_the_reason()
    {
        var image = Directory.CreateTempSubdirectory("image").FullName;
        try
        {
            await using var machine = Machine.Start(
                "nowhere.invalid/none:1", "--image-dir", WithoutRamdisk(image), "--max-boots", "1");
            (await machine.Host.ExitAsync(Machine.ReadyLimit)).ShouldBe(1);
            machine.Host.TerminationMessage.ShouldContain("qemu-system-x86_64 exited");
            machine.Host.TerminationMessage.ShouldContain("Kernel panic");
        }
        finally
        {
            Directory.Delete(image, recursive: true);
        }
    }

    private static int Qemu(Machine machine) =>
        machine.Host.Processes().Where(p => p.Name.StartsWith("qemu", StringComparison.Ordinal)).ShouldHaveSingleItem().Id;

    // The kernel with a ramdisk that is none: it panics, and says so.
    private static string WithoutRamdisk(string folder)
    {
        var whole = Environment.GetEnvironmentVariable("ENCLAVES_IMAGE_DIR") ?? "";
        if (File.Exists(Path.Combine(whole, "vmlinuz")))
            File.Copy(Path.Combine(whole, "vmlinuz"), Path.Combine(folder, "vmlinuz"));
        File.WriteAllText(Path.Combine(folder, "initrd"), "nothing");
        File.WriteAllText(Path.Combine(folder, "cmdline"), "console=ttyS0 panic=-1 reboot=t");
        return folder;
    }
}
