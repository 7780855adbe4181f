using System.Diagnostics;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Vm;

/// <summary>The enclave image as a thing that is measured: whoever makes it again must get the same bytes.</summary>
public sealed class EnclaveImageTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

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
