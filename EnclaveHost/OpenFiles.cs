using System.Runtime.InteropServices;

namespace Enclaves.EnclaveHost;

/// <summary>
/// The limit of open files, which is two for each relayed connection. A runtime of containers often sets the soft one to 1024, for programs
/// that use select(2); those that do not are to raise it to the hard one by themselves (systemd, "File Descriptor Limits").
/// </summary>
internal static partial class OpenFiles
{
    // RLIMIT_NOFILE of Linux on x86-64 and arm64.
    private const int OpenFilesLimit = 7;

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }

    /// <summary>Allows as many as may be allowed. What started this program may have forbidden it; then it is as it was.</summary>
    public static void Raise()
    {
        if (Get(OpenFilesLimit, out var limit) == 0 && limit.Soft < limit.Hard)
            _ = Set(OpenFilesLimit, limit with { Soft = limit.Hard });
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int Get(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int Set(int resource, in Limit limit);
}
