using System.Diagnostics;
using System.Globalization;
using System.Text;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.Benchmarks.Boot;
using Enclaves.Tests.Enclave.Harness;

namespace Enclaves.Tests.Benchmarks.Relay;

/// <summary>Lines of a container on their way to the pod's standard output: how many bytes of text a second come through, and what that costs.</summary>
internal static class LogBenchmark
{
    private const int LineBytes = 200;
    private const int OfferedMbPerSecond = 150;
    private const int Seconds = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Runs it.</summary>
    /// <param name="programs">EnclaveHost and Orchestrator, native.</param>
    /// <param name="flow">The program of flow.c, which writes the lines.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async Task Run((string Host, string Orchestrator) programs, string flow, CancellationToken cancellation)
    {
        Figures.Step($"lines of {LineBytes} bytes, {OfferedMbPerSecond} MB/s for {Seconds} s");
        using var folder = new TemporaryFolder();
        var app = Manifests.App("local", [flow, "log", Text(LineBytes), Text(OfferedMbPerSecond), Text(Seconds)], 1, 20999, "bench") with { RestartPolicy = "Never", Ports = [] };
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, "manifest.json"), ManifestCodec.Write(Manifests.One(app)), cancellation);
        string[] arguments = ["--pdeathsig", "KILL", "--", programs.Host, .. StartedEnclave.Arguments(folder, programs.Orchestrator, ContainerProgram.Ports.Next())];
        using var process = Process.Start(new ProcessStartInfo("setpriv", arguments) { RedirectStandardOutput = true })!;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(Limit);
            var (lines, elapsed) = await Count(process.StandardOutput.BaseStream, limit.Token);
            var offered = (double)OfferedMbPerSecond * Seconds * 1e6 / LineBytes;
            Figures.Print("relay.log_mb_per_second", lines * LineBytes / elapsed.TotalSeconds / 1e6, "MB/s", "≥ 100");
            Figures.Print("relay.log_delivered_percent", 100 * lines / offered, "%", "none");
            Figures.Print("relay.log_enclavehost_peak_mb", ProcessFacts.PeakKib(process.Id) / 1024.0, "MB", "none");
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    // The flood's lines, from the first to its last one, which is not dropped since nothing comes after it.
    private static async Task<(long Lines, TimeSpan Elapsed)> Count(Stream output, CancellationToken cancellation)
    {
        var mark = "\"text\":\"line "u8.ToArray();
        var last = "\"text\":\"line last"u8.ToArray();
        var buffer = new byte[1 << 20];
        var (kept, lines, watch) = (0, 0L, new Stopwatch());
        while (true)
        {
            var count = await output.ReadAsync(buffer.AsMemory(kept), cancellation);
            if (count == 0)
                throw new IOException($"EnclaveHost ended: {Encoding.UTF8.GetString(buffer, 0, kept)}");
            var read = buffer.AsSpan(0, kept + count);
            var end = read.LastIndexOf((byte)'\n') + 1;
            var found = read[..end].Count(mark);
            if (found > 0 && !watch.IsRunning)
                watch.Start();
            lines += found;
            if (read[..end].IndexOf(last) >= 0)
                return (lines, watch.Elapsed);
            read[end..].CopyTo(buffer);
            kept = read.Length - end;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
