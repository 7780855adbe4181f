namespace Enclaves.Tests.Cluster;

/// <summary>What tests wait for of a program of ours.</summary>
internal static class ChildProcessWaits
{
    /// <summary>Waits until /readyz on this port answers 200.</summary>
    public static Task Ready(this ChildProcess process, int port) =>
        Wait.Until("/readyz answers 200", () => process.IsReady(port), explain: () => process.Log);

    /// <summary>Waits until it has ended, by itself or after a signal.</summary>
    public static Task Ended(this ChildProcess process) =>
        Wait.Until("the process ends", () => Task.FromResult(process.HasEnded), explain: () => process.Log);
}
