using System.Diagnostics;
using System.Globalization;
using Enclaves.Tests.Benchmarks.Reconcile;

namespace Enclaves.Tests.Benchmarks.Boot;

/// <summary>
/// The yardstick for the Orchestrator, which does for an enclave what a kubelet does for a node: one that runs on this machine, or one that
/// is started without an API server and without a pod.
/// </summary>
internal static class Kubelet
{
    private const string Name = "boot.kubelet_rss_mb";
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(20);

    /// <summary>Prints what it holds in memory, or why that is not known.</summary>
    /// <param name="program">To start where none runs; empty when there is none.</param>
    /// <param name="containerd">For the one that is started.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async Task PrintMemory(string program, Containerd containerd, CancellationToken cancellation)
    {
        if (Running() is { } running)
        {
            Figures.Step("the kubelet is one that runs on this machine");
            Print(running);
            return;
        }

        if (program.Length == 0)
        {
            Console.WriteLine($"{Name} = not measured: no kubelet runs on this machine, and none has been built yet (dev/cluster up)");
            return;
        }

        Figures.Step("starting a kubelet without an API server");
        await using var kubelet = await Start(program, containerd);
        await Task.Delay(Settle, cancellation);
        if (Running() is { } started)
            Print(started);
        else
            Console.WriteLine($"{Name} = not measured: {program} has ended; the end of its log: {LastLine(containerd)}");
    }

    private static string? LastLine(Containerd containerd) => File.ReadLines(Path.Combine(containerd.Folder, "kubelet.log")).LastOrDefault();

    private static void Print(int process) => Figures.Print(Name, ProcessFacts.ResidentKib(process) / 1024.0, "MB", "none, a yardstick");

    private static int? Running()
    {
        var all = Process.GetProcessesByName("kubelet");
        int? id = all.Length > 0 ? all[0].Id : null;
        foreach (var process in all)
            process.Dispose();
        return id;
    }

    private static async Task<Daemon> Start(string program, Containerd containerd)
    {
        var (folder, settings) = (Path.Combine(containerd.Folder, "kubelet"), Path.Combine(containerd.Folder, "kubelet.yaml"));
        var minor = await Minor(program);
        await File.WriteAllTextAsync(settings, $$"""
            apiVersion: kubelet.config.k8s.io/v1beta1
            kind: KubeletConfiguration
            enableServer: false
            healthzPort: 0
            authentication: { anonymous: { enabled: true }, webhook: { enabled: false } }
            authorization: { mode: AlwaysAllow }
            cgroupDriver: cgroupfs
            cgroupsPerQOS: false
            enforceNodeAllocatable: []
            failSwapOn: false
            resolvConf: ""
            oomScoreAdj: 0
            makeIPTablesUtilChains: false
            volumePluginDir: {{folder}}/volume-plugins
            {{(minor >= 27 ? $"containerRuntimeEndpoint: unix://{containerd.Socket}" : "")}}
            """);
        List<string> arguments = ["--config", settings, "--root-dir", folder, "--cert-dir", folder, "--hostname-override", "bench"];
        if (minor < 27)
            arguments.AddRange(["--container-runtime-endpoint", $"unix://{containerd.Socket}"]);
        if (minor < 24)
            arguments.AddRange(["--container-runtime", "remote"]);
        return await containerd.StartInside("kubelet", program, arguments);
    }

    private static async Task<int> Minor(string program)
    {
        using var version = Process.Start(new ProcessStartInfo(program, "--version") { RedirectStandardOutput = true })!;
        var text = await version.StandardOutput.ReadToEndAsync();
        await version.WaitForExitAsync();
        return int.Parse(text.Split('.')[1], CultureInfo.InvariantCulture);
    }
}
