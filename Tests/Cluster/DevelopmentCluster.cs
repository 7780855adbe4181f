using System.Diagnostics;

namespace Enclaves.Tests.Cluster;

/// <summary>Where the development cluster (dev/cluster up) and the repository are.</summary>
internal static class DevelopmentCluster
{
    /// <summary>Where the cluster reaches this machine (dev/lib/paths.sh).</summary>
    public const string HostAddress = "10.210.0.1";

    /// <summary>Path of the administrator's kubeconfig.</summary>
    public static string KubeconfigPath =>
        Environment.GetEnvironmentVariable("ENCLAVES_KUBECONFIG")
        ?? Path.Combine(Environment.GetEnvironmentVariable("ENCLAVES_STATE") ?? "/var/lib/enclaves-dev", "kubeconfig");

    /// <summary>The root of the repository.</summary>
    public static string Repository => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.Parent!.Parent!.FullName;

    /// <summary>Runs dev/cluster with these arguments.</summary>
    public static async Task Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(Repository, "dev/cluster"), arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"dev/cluster {string.Join(' ', arguments)}: exit {process.ExitCode}: {await output}\n{errors}");
    }
}
