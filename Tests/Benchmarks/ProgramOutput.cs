using System.Diagnostics;

namespace Enclaves.Tests.Benchmarks;

/// <summary>A program that is run to its end for what it prints.</summary>
internal static class ProgramOutput
{
    /// <summary>Its standard output; its errors go where ours go.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<string> Read(string program, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} exited with {process.ExitCode}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
