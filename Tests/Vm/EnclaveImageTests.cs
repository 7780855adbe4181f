using System.Diagnostics;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Vm;

/// <summary>The enclave image as a thing that is measured: whoever makes it again must get the same bytes.</summary>
public sealed class EnclaveImageTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    // The names under which a shell, or a program that can be one, goes.
    private static readonly string[] Shells = ["sh", "ash", "bash", "busybox", "dash", "ksh", "zsh", "python3", "perl"];

    [Fact]
    public void Every_file_has_its_reason_and_none_is_a_shell()
    {
        var folder = Environment.GetEnvironmentVariable("ENCLAVES_IMAGE_DIR");
        Assert.SkipUnless(folder is { Length: > 0 }, "ENCLAVES_IMAGE_DIR does not name a folder with an enclave image; dev/test vm makes one");
        var files = File.ReadAllLines(Path.Combine(folder!, "manifest.txt")).Select(line => line.Split('\t')).ToList();
        files.ShouldAllBe(file => file.Length == 3 && file[0].StartsWith('/') && file[2].Length > 0);
        files.Select(file => file[0]).ShouldContain("/init");
        files.Select(file => Path.GetFileName(file[0])).Intersect(Shells).ShouldBeEmpty();
    }

    [Fact]
    public async Task Its_registers_are_those_that_are_published_beside_it()
    {
        var image = Machine.EnclaveImage();
        (await EifTool.RunAsync("verify", image)).ShouldContain("the checksum is right");
        var description = JsonNode.Parse(await EifTool.RunAsync("describe", image))!;
        var published = JsonNode.Parse(await File.ReadAllTextAsync(
            Path.Combine(Path.GetDirectoryName(image)!, "measurements.json"), TestContext.Current.CancellationToken))!;
        foreach (var register in (string[])["PCR0", "PCR1", "PCR2"])
            ((string?)published[register.ToLowerInvariant()]).ShouldBe((string?)description["Measurements"]![register], register);
        ((string?)description["ImageName"]).ShouldBe("enclaves");
        ((string?)description["Metadata"]!["KernelVersion"]).ShouldEndWith("-cloud-amd64");
    }

    [Fact]
    public async Task Made_a_second_time_it_has_the_same_bytes()
    {
        var repository = Environment.GetEnvironmentVariable("ENCLAVES_REPOSITORY");
        Assert.SkipUnless(repository is { Length: > 0 }, "ENCLAVES_REPOSITORY does not name the repository; dev/test vm sets it");
        var start = new ProcessStartInfo(Path.Combine(repository!, "dev", "images"), ["compare-enclave-image"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }

        process.ExitCode.ShouldBe(0, await error);
        (await output).ShouldContain("the same, byte for byte");
    }
}
