using System.Runtime.InteropServices;
using Enclaves.Orchestrator.Init;

namespace Enclaves.Orchestrator.Processes;

/// <summary>Waits for children and collects their statuses in two steps: to see that one has ended does not free its number yet.</summary>
internal static unsafe partial class ProcessStatus
{
    private const int AnyChild = 0;
    private const int OneChild = 1;
    private const int Exited = 0x4;
    private const int LeaveWaitable = 0x0100_0000;

    // siginfo_t is 128 bytes; on 64-bit Linux si_pid of a SIGCHLD is at offset 16: three ints, padding, and then the union whose first member it is.
    private const int SigInfoBytes = 128;
    private const int PidOffset = 16;

    /// <summary>Blocks until any child has ended; false when there are no children.</summary>
    public static bool WaitForAnyExit(out int id) => Wait(AnyChild, 0, out id);

    /// <summary>Blocks until this child has ended.</summary>
    public static void WaitForExit(int id) => Wait(OneChild, id, out _);

    /// <summary>Frees an ended child's number and returns its status; null when it was not there to collect.</summary>
    public static int? Collect(int id) => Libc.WaitPid(id, out var status, Libc.Wnohang) == id ? status : null;

    private static bool Wait(int kind, int id, out int ended)
    {
        var info = stackalloc byte[SigInfoBytes];
        while (true)
        {
            if (WaitId(kind, id, info, Exited | LeaveWaitable) == 0)
            {
                ended = *(int*)(info + PidOffset);
                return true;
            }

            if (Marshal.GetLastPInvokeError() != Libc.Eintr)
            {
                ended = 0;
                return false;
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "waitid", SetLastError = true)]
    private static partial int WaitId(int kind, int id, byte* info, int options);
}
