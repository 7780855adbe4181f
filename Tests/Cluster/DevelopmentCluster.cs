namespace Enclaves.Tests.Cluster;

/// <summary>Where the development cluster (dev/cluster up) and the repository are.</summary>
internal static class DevelopmentCluster
{
    /// <summary>Path of the administrator's kubeconfig.</summary>
    public static string KubeconfigPath =>
        Environment.GetEnvironmentVariable("ENCLAVES_KUBECONFIG")
        ?? Path.Combine(Environment.GetEnvironmentVariable("ENCLAVES_STATE") ?? "/var/lib/enclaves-dev", "kubeconfig");

    /// <summary>The root of the repository.</summary>
    public static string Repository => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
}
