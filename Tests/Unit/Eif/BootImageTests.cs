using Enclaves.EnclaveHost.Drivers;
using Enclaves.EnclaveHost.Eif;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>What a virtual machine is given of an image.</summary>
public sealed class BootImageTests : IDisposable
{
    private readonly EifFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_boots_what_was_measured()
    {
        var measured = EifWriter.Write(_folder.Recipe("first ramdisk", "second ramdisk"), _folder.Path("a.eif"));
        using var image = BootImage.Load(_folder.Path("a.eif"), TestContext.Current.CancellationToken);
        image.Measurements.ShouldBe(measured);
        image.CommandLine.ShouldBe(EifFolder.CommandLine);
        File.ReadAllText(image.KernelPath).ShouldBe(EifFolder.Kernel);
        File.ReadAllText(image.RamdiskPath).ShouldBe("first ramdisksecond ramdisk");
    }

    [Fact]
    public void Another_process_can_read_it_and_nothing_is_left_of_it()
    {
        _folder.Build();
        string path;
        using (var image = BootImage.Load(_folder.Path("small.eif"), TestContext.Current.CancellationToken))
        {
            path = image.KernelPath;
            OpenSsl.Run("/", "dgst", "-sha384", path).ExitCode.ShouldBe(0);
        }

        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public void An_image_that_is_not_in_order_is_not_booted()
    {
        Refusal("/no/such.eif").ShouldContain("/no/such.eif: cannot be read");
        Refusal(_folder.File("text", "#!/bin/sh")).ShouldContain("is no enclave image");
        var bytes = _folder.Build();
        File.WriteAllBytes(_folder.Path("short.eif"), bytes[..^1]);
        Refusal(_folder.Path("short.eif")).ShouldContain("is truncated");
        bytes[^1] ^= 1;
        File.WriteAllBytes(_folder.Path("damaged.eif"), bytes);
        Refusal(_folder.Path("damaged.eif")).ShouldContain("is damaged");
        _folder.Build(_folder.Recipe("r") with { IsArm64 = true });
        Refusal(_folder.Path("small.eif")).ShouldContain("is for aarch64");
    }

    private static string Refusal(string path)
    {
        var refusal = Should.Throw<EnclaveStartException>(() => BootImage.Load(path, TestContext.Current.CancellationToken)).Message;
        refusal.ShouldContain("--image");
        return refusal;
    }
}
