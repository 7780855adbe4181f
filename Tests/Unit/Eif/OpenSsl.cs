using System.Diagnostics;
using Xunit;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>The program openssl: an opinion that is not this runtime's.</summary>
internal static class OpenSsl
{
    /// <summary>Runs it in a folder; a test is skipped where there is none.</summary>
    public static (int ExitCode, string Output) Run(string folder, params string[] arguments)
    {
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(path => File.Exists(Path.Combine(path, "openssl"))),
            "openssl is not on the PATH; install the package openssl");
        var start = new ProcessStartInfo("openssl", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.GetAwaiter().GetResult());
    }

    /// <summary>Makes NAME.key and NAME.crt.</summary>
    public static void MakeCertificate(string folder, string name, string curve = "secp384r1")
    {
        string[] arguments =
        [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", $"ec_paramgen_curve:{curve}", "-sha384", "-nodes", "-days", "30",
            "-subj", $"/C=DE/O=Tests/CN={name}", "-keyout", $"{name}.key", "-out", $"{name}.crt",
        ];
        var (code, output) = Run(folder, arguments);
        Assert.True(code == 0, output);
    }
}
