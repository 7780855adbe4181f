using System.Text.Json.Nodes;
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
        var measured = JsonNode.Parse(await EifTool.RunAsync("describe", Machine.EnclaveImage()))!["Measurements"]!;
        var shown = status["measurements"]!;
        ((string?)shown["pcr0"], (string?)shown["pcr1"], (string?)shown["pcr2"]).ShouldBe(((string?)measured["PCR0"], (string?)measured["PCR1"], (string?)measured["PCR2"]));
        shown["simulated"]!.GetValue<bool>().ShouldBeTrue("nothing but this host says so");
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
    public async Task A_damaged_image_is_not_booted_and_the_reason_says_which()
    {
        var image = Directory.CreateTempSubdirectory("image").FullName;
        try
        {
            var damaged = Path.Combine(image, "damaged.eif");
            var bytes = await File.ReadAllBytesAsync(Machine.EnclaveImage(), TestContext.Current.CancellationToken);
            bytes[^1] ^= 1;
            await File.WriteAllBytesAsync(damaged, bytes, TestContext.Current.CancellationToken);
            await using var machine = Machine.Start("nowhere.invalid/none:1", "--image", damaged, "--max-boots", "1");
            (await machine.Host.ExitAsync(Soon)).ShouldBe(1);
            machine.Host.TerminationMessage.ShouldContain($"{damaged}: is damaged");
        }
        finally
        {
            Directory.Delete(image, recursive: true);
        }
    }

    [Fact]
    public async Task What_the_kernel_said_last_is_part_of_the_reason()
    {
        var image = Directory.CreateTempSubdirectory("image").FullName;
        try
        {
            await using var machine = Machine.Start(
                "nowhere.invalid/none:1", "--image", await WithoutRamdiskAsync(image), "--max-boots", "1");
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
    private static async Task<string> WithoutRamdiskAsync(string folder)
    {
        var (parts, image, nothing) = (Path.Combine(folder, "parts"), Path.Combine(folder, "broken.eif"), Path.Combine(folder, "nothing"));
        await File.WriteAllTextAsync(nothing, "nothing");
        await EifTool.RunAsync("extract", Machine.EnclaveImage(), "--out", parts);
        await EifTool.RunAsync(
            "build", "--kernel", Path.Combine(parts, "kernel"), "--cmdline", "console=ttyS0 panic=-1 reboot=t", "--ramdisk", nothing, "--out", image);
        return image;
    }
}
