using System.Globalization;

namespace Enclaves.Tests.Benchmarks;

/// <summary>What the kernel says of a process.</summary>
internal static class ProcessFacts
{
    /// <summary>Memory that it holds at this moment, in KiB.</summary>
    public static long ResidentKib(int process) => Read(process, "VmRSS");

    /// <summary>The most that it has held, in KiB.</summary>
    public static long PeakKib(int process) => Read(process, "VmHWM");

    /// <summary>How many files it may have open.</summary>
    public static long OpenFiles(int process) => long.Parse(
        File.ReadLines($"/proc/{process}/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal))["Max open files".Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[0],
        CultureInfo.InvariantCulture);

    /// <summary>The only process that its first thread has started.</summary>
    public static int OnlyChild(int process) =>
        int.Parse(File.ReadAllText($"/proc/{process}/task/{process}/children").Trim(), CultureInfo.InvariantCulture);

    private static long Read(int process, string field) => long.Parse(
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture);
}
