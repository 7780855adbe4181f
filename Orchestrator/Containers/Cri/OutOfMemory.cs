using System.Text;
using Enclaves.Orchestrator.Init;

namespace Enclaves.Orchestrator.Containers.Cri;

/// <summary>
/// Whether the kernel killed a container for its memory, by the kernel's own log. containerd says so too, except of a container that was
/// killed before containerd listened to its control group.
/// </summary>
internal static class OutOfMemory
{
    // The kernel keeps 128 KiB by default (CONFIG_LOG_BUF_SHIFT); what is older than this has nothing to do with an end just seen.
    private const int LogBytes = 128 * 1024;

    /// <summary>False also where the log may not be read, as outside of an enclave of its own kernel.</summary>
    public static bool Killed(string containerId)
    {
        var log = new byte[LogBytes];
        var length = Libc.KernelLog(Libc.SyslogActionReadAll, log, log.Length);
        return length > 0 && Tells(Encoding.UTF8.GetString(log, 0, length), containerId);
    }

    /// <summary>Looks for the line of mm/oom_kill.c, <c>oom-kill:constraint=CONSTRAINT_MEMCG,…,oom_memcg=/k8s.io/ID,task_memcg=…</c>.</summary>
    internal static bool Tells(string log, string containerId) => log.Split('\n').Any(line =>
        line.Contains("oom-kill:constraint=CONSTRAINT_MEMCG", StringComparison.Ordinal) && OfGroup(line, containerId));

    private static bool OfGroup(string line, string containerId) => line.Split(',').Any(field =>
        field.StartsWith("oom_memcg=", StringComparison.Ordinal) && field.Split('/').Any(part => part == containerId || part == $"cri-containerd-{containerId}.scope"));
}
