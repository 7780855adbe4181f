using System.Runtime.InteropServices;

namespace Enclaves.Orchestrator.Init;

/// <summary>The calls of libc and the kernel that .NET does not offer. Constants are those of Linux on x86-64 and arm64.</summary>
internal static partial class Libc
{
    public const int Sigkill = 9;
    public const int Sigterm = 15;
    public const int Sigcont = 18;

    public const int PrSetPdeathsig = 1;
    public const int PrSetChildSubreaper = 36;

    public const int Wnohang = 1;

    public const int Eexist = 17;
    public const int Echild = 10;
    public const int Eintr = 4;
    public const int Ebusy = 16;

    public const ulong MsRdonly = 1;
    public const ulong MsNosuid = 2;
    public const ulong MsNodev = 4;
    public const ulong MsNoexec = 8;
    public const ulong MsRemount = 32;
    public const ulong MsBind = 4096;
    public const ulong MsMove = 8192;
    public const ulong MsRec = 16384;
    public const ulong MsShared = 1 << 20;

    public const int RbAutoboot = 0x01234567;
    public const int RbPowerOff = 0x4321fedc;

    public const int ClockRealtime = 0;

    public const int SyslogActionReadAll = 3;

    public const int RlimitNofile = 7;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    public static partial int SetResourceLimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", EntryPoint = "chroot", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Chroot(string path);

    [LibraryImport("libc", EntryPoint = "sethostname", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetHostname(string name, nuint length);

    [LibraryImport("libc", EntryPoint = "clock_settime", SetLastError = true)]
    public static partial int ClockSetTime(int clock, in Timespec time);

    [LibraryImport("libc", EntryPoint = "sync")]
    public static partial void Sync();

    [LibraryImport("libc", EntryPoint = "reboot", SetLastError = true)]
    public static partial int Reboot(int command);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial long Syscall(long number, SafeHandle descriptor, string parameters, int flags);

    [LibraryImport("libc", EntryPoint = "klogctl", SetLastError = true)]
    public static partial int KernelLog(int action, Span<byte> buffer, int length);

    [LibraryImport("libc", EntryPoint = "getppid")]
    public static partial int GetParentId();

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int Prctl(int option, ulong value, ulong zero3 = 0, ulong zero4 = 0, ulong zero5 = 0);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static partial int WaitPid(int pid, out int status, int options);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Execve(string path, nint argv, nint envp);

    /// <summary>finit_module has no wrapper in older C libraries, and its number is not the same everywhere.</summary>
    public static int FinitModule(SafeHandle descriptor, string parameters)
    {
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 273 : 313;
        return (int)Syscall(number, descriptor, parameters, 0);
    }

    /// <summary>Throws with the name of the object and the kernel's reason when a call answered -1.</summary>
    /// <exception cref="IOException">The call failed.</exception>
    public static void Check(int result, string what)
    {
        if (result < 0)
            throw new IOException($"{what}: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
