using System.Runtime.InteropServices;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>Signals to processes, kill(2).</summary>
internal static partial class ProcessSignal
{
    public const int Kill = 9;
    public const int Terminate = 15;

    /// <summary>errno of a process that is gone (ESRCH).</summary>
    public const int NoSuchProcess = 3;

    /// <summary>Sends one.</summary>
    /// <returns>0, or the errno.</returns>
    public static int Send(int process, int signal) => Call(process, signal) == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Call(int process, int signal);
}
