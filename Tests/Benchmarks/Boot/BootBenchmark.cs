using Enclaves.Tests.Benchmarks.Reconcile;
using Enclaves.Tests.Enclave.Harness;

namespace Enclaves.Tests.Benchmarks.Boot;

/// <summary>What this system itself adds to the start of an enclave, and what its two native programs weigh.</summary>
internal static class BootBenchmark
{
    // The first one warms up the files and this program, and is not counted.
    private const int Runs = 16;
    private const int Connections = 100;

    // Until what starting has left behind is collected, and what is new has come to rest.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    /// <summary>Runs it.</summary>
    /// <param name="programs">EnclaveHost and Orchestrator, native.</param>
    /// <param name="image">The container image, as a folder of the OCI's layout and as an archive.</param>
    /// <param name="kubelet">A kubelet to start where none runs; empty when there is none.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async Task Run(
        (string Host, string Orchestrator) programs, (string Layout, string Archive) image, string kubelet, CancellationToken cancellation)
    {
        await Starts(programs, cancellation);
        await Memory(programs, cancellation);
        Binary("orchestrator", programs.Orchestrator);
        Binary("enclavehost", programs.Host);
        Figures.Step("starting a containerd");
        using var folder = new TemporaryFolder();
        await using var containerd = await Containerd.Start(folder.Path, image.Archive, cancellation);
        await new ContainerStarts(programs.Orchestrator, containerd, image.Layout).Run(cancellation);
        await Kubelet.PrintMemory(kubelet, containerd, cancellation);
    }

    private static async Task Starts((string Host, string Orchestrator) programs, CancellationToken cancellation)
    {
        Figures.Step($"starting EnclaveHost {Runs} times");
        var (whole, plain, steps) = (new List<double>(), new List<double>(), new List<StartStep>());
        for (var run = 0; run < Runs; run++)
        {
            var program = await ContainerProgram.StartTime(cancellation);
            await using var enclave = await StartedEnclave.Start(programs.Host, programs.Orchestrator, cancellation);
            if (run == 0)
                continue;
            plain.Add(program.TotalMilliseconds);
            whole.Add(enclave.ReadyAfter.TotalMilliseconds);
            steps.AddRange(await enclave.Steps(cancellation));
        }

        var own = whole.Select((time, run) => time - plain[run]).ToList();
        Figures.Print("boot.own_share_ms", Figures.Median(own), "ms", "≤ 300");
        Figures.Print("boot.own_share_worst_ms", own.Max(), "ms", "none");
        Figures.Print("boot.container_program_ms", Figures.Median(plain), "ms", "none");
        // As EnclaveHost logs them; they include the container's program.
        foreach (var step in steps.GroupBy(step => step.Name))
            Figures.Print($"boot.step_{step.Key}_ms", Figures.Median([.. step.Select(s => (double)s.Milliseconds)]), "ms", "none");
    }

    private static async Task Memory((string Host, string Orchestrator) programs, CancellationToken cancellation)
    {
        await using var enclave = await StartedEnclave.Start(programs.Host, programs.Orchestrator, cancellation);
        await Task.Delay(Settle, cancellation);
        Print("boot.orchestrator_rss_mb", await enclave.OrchestratorKib(cancellation), "≤ 30");
        Print("boot.enclavehost_rss_idle_mb", enclave.Host.ResidentKib(), "none");
        using var connections = await enclave.Connect(Connections, cancellation);
        await Task.Delay(Settle, cancellation);
        Print("boot.enclavehost_rss_mb", enclave.Host.ResidentKib(), "≤ 40");
        Print("boot.orchestrator_rss_with_connections_mb", await enclave.OrchestratorKib(cancellation), "none");
    }

    private static void Print(string name, long kib, string goal) => Figures.Print(name, kib / 1024.0, "MB", goal);

    private static void Binary(string name, string path) =>
        Figures.Print($"boot.{name}_binary_mb", new FileInfo(path).Length / 1048576.0, "MB", "≤ 20");
}
