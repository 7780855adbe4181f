using System.Diagnostics;

namespace Enclaves.Tests.EndToEnd;

/// <summary>How a program ended, and what it wrote.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error);

/// <summary>Runs a program to its end, which is bounded.</summary>
internal static class Tool
{
    // Above the longest that a program itself is told to wait.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(450);

    public static async Task<ToolResult> Run(string program, string? input, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A proxy of the environment does not lead to the development cluster.
        start.Environment["NO_PROXY"] = "*";
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return new ToolResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
