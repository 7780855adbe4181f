using System.Globalization;
using System.Runtime.InteropServices;
using Enclaves.Orchestrator.Init;
using Microsoft.Win32.SafeHandles;

namespace Enclaves.Orchestrator.Volumes;

/// <summary>
/// A folder inside a folder that containers write to. A container may put a link there at any moment, which must lead nowhere: every step is
/// opened from the one before without following links, and what was opened is bound to a place of our own, which is what gets mounted.
/// (What Kubernetes learned from CVE-2017-1002101.)
/// </summary>
internal static partial class FolderBeneath
{
    private const int PathOnly = 0x20_0000;
    private const int CloseOnExec = 0x8_0000;
    private const int Enoent = 2;
    private const uint FolderMode = 0b111_111_111;
    private const int DetachOnly = 2;

    // O_DIRECTORY and O_NOFOLLOW, which are not the same on every architecture.
    private static int FolderOnly => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x1_0000;

    private static int NoLinks => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x2_0000;

    /// <summary>Binds <c>FOLDER/SUB</c>, made where it does not exist, to the target and returns the target.</summary>
    /// <exception cref="IOException">A step is not a folder; names it.</exception>
    public static string Bind(string folder, string sub, string target)
    {
        using var opened = Open(folder, sub);
        Directory.CreateDirectory(target);
        // What an earlier start of the container was given.
        _ = Unmount(target, DetachOnly);
        Libc.Check(Libc.Mount(PathOf(opened), target, null, Libc.MsBind, null), $"bind {sub} of {folder}");
        return target;
    }

    private static SafeFileHandle Open(string folder, string sub)
    {
        var at = Check(OpenRoot(folder, PathOnly | CloseOnExec | FolderOnly), folder);
        foreach (var step in sub.Split('/'))
        {
            using var parent = at;
            var next = OpenAt(parent, step, PathOnly | CloseOnExec | FolderOnly | NoLinks, 0);
            var isNew = next < 0 && Marshal.GetLastPInvokeError() == Enoent && MakeAt(parent, step, FolderMode) == 0;
            // Another container may have put something else in its place meanwhile: the second look tells.
            if (isNew)
                next = OpenAt(parent, step, PathOnly | CloseOnExec | FolderOnly | NoLinks, 0);
            at = Check(next, $"{sub} of {folder}: {step} must be a folder, and not a link to one");
            // Whatever the umask is; and of what was opened, whatever its name leads to by now.
            if (isNew)
                File.SetUnixFileMode(PathOf(at), (UnixFileMode)FolderMode);
        }

        return at;
    }

    private static string PathOf(SafeFileHandle opened) => string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{opened.DangerousGetHandle()}");

    private static SafeFileHandle Check(int descriptor, string what)
    {
        Libc.Check(descriptor, what);
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenRoot(string path, int flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(SafeFileHandle folder, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeAt(SafeFileHandle folder, string path, uint mode);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);
}
