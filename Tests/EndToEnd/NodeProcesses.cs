using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The processes of a pod as the node sees them: the cluster runs on this machine, in namespaces of its own.</summary>
internal static partial class NodeProcesses
{
    public const int SigKill = 9;
    public const int SigCont = 18;
    public const int SigStop = 19;

    /// <summary>Process ids in the pod's cgroup whose program has this file name.</summary>
    public static IReadOnlyList<int> Of(string podUid, string program) =>
        [.. Directory.EnumerateDirectories("/proc").Select(Id).OfType<int>().Where(id => Program(id) == program && IsInPod(id, podUid))];

    public static void Signal(int process, int signal)
    {
        if (Kill(process, signal) != 0)
            throw new InvalidOperationException($"kill -{signal} {process}: errno {Marshal.GetLastPInvokeError()}");
    }

    private static int? Id(string folder) =>
        int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;

    private static string? Program(int process)
    {
        try
        {
            var line = File.ReadAllBytes($"/proc/{process}/cmdline");
            return Path.GetFileName(Encoding.UTF8.GetString(line).Split('\0')[0]);
        }
        catch (IOException)
        {
            return null;
        }
    }

    // A kubelet puts the pod's UID into the cgroup's path, with underscores under the systemd driver.
    private static bool IsInPod(int process, string podUid)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cgroup").Replace('_', '-').Contains(podUid, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
