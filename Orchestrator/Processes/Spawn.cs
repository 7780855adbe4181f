using System.Runtime.InteropServices;

namespace Enclaves.Orchestrator.Processes;

/// <summary>
/// posix_spawn, because .NET's own way to start processes collects exit statuses with a signal handler that does not go together with the
/// duties of PID 1. A spawned process leads a process group of its own and starts with default signal dispositions.
/// </summary>
internal static unsafe partial class Spawn
{
    // Opaque to us; glibc's structures are 336, 80 and 128 bytes on the 64-bit architectures.
    private const int StructBytes = 1024;
    private const short SetProcessGroup = 0x02;
    private const short SetDefaultSignals = 0x04;
    private const short SetSignalMask = 0x08;

    /// <summary>Starts a program and returns its process id.</summary>
    /// <param name="path">Absolute path of the program.</param>
    /// <param name="arguments">argv, its first item the program's name.</param>
    /// <param name="environment">NAME=value.</param>
    /// <param name="output">Becomes descriptors 1 and 2 as given; null leaves this process's own.</param>
    /// <exception cref="IOException">Names the program and the kernel's reason.</exception>
    public static int Start(string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, (SafeHandle Out, SafeHandle Error)? output)
    {
        var attributes = stackalloc byte[StructBytes];
        var actions = stackalloc byte[StructBytes];
        var signals = stackalloc byte[StructBytes];
        Check(AttributesInit(attributes), path);
        Check(ActionsInit(actions), path);
        using var argv = new NativeStrings(arguments);
        using var envp = new NativeStrings(environment);
        try
        {
            // The runtime ignores SIGPIPE, and an ignored signal would stay ignored in the program.
            _ = FillSignals(signals);
            Check(AttributesSetDefault(attributes, signals), path);
            _ = EmptySignals(signals);
            Check(AttributesSetMask(attributes, signals), path);
            Check(AttributesSetFlags(attributes, SetProcessGroup | SetDefaultSignals | SetSignalMask), path);
            if (output is { } o)
            {
                Check(ActionsAddDup(actions, (int)o.Out.DangerousGetHandle(), 1), path);
                Check(ActionsAddDup(actions, (int)o.Error.DangerousGetHandle(), 2), path);
            }

            Check(PosixSpawn(out var pid, path, actions, attributes, argv.Pointer, envp.Pointer), path);
            return pid;
        }
        finally
        {
            _ = ActionsDestroy(actions);
            _ = AttributesDestroy(attributes);
        }
    }

    /// <summary>The program that a command names, looked up as a shell does.</summary>
    /// <exception cref="FileNotFoundException">It does not exist, or no folder of the path has it.</exception>
    public static string Find(string command, string? path)
    {
        if (command.Contains('/'))
            return File.Exists(command) ? Path.GetFullPath(command) : throw new FileNotFoundException($"program '{command}' does not exist");
        foreach (var folder in (path ?? "/usr/local/bin:/usr/bin:/bin").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            var candidate = Path.Combine(folder, command);
            if (File.Exists(candidate))
                return candidate;
        }

        throw new FileNotFoundException($"program '{command}' is in no folder of PATH");
    }

    private static void Check(int error, string path)
    {
        if (error != 0)
            throw new IOException($"start {path}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PosixSpawn(out int pid, string path, byte* actions, byte* attributes, nint argv, nint envp);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int AttributesSetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int AttributesSetDefault(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int AttributesSetMask(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int ActionsInit(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int ActionsDestroy(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int ActionsAddDup(byte* actions, int from, int to);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int FillSignals(byte* signals);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int EmptySignals(byte* signals);
}

/// <summary>A null-terminated array of C strings.</summary>
internal sealed class NativeStrings : IDisposable
{
    private readonly nint[] _strings;

    public NativeStrings(IReadOnlyList<string> values)
    {
        _strings = [.. values.Select(Marshal.StringToCoTaskMemUTF8)];
        Pointer = Marshal.AllocCoTaskMem((_strings.Length + 1) * nint.Size);
        for (var i = 0; i < _strings.Length; i++)
            Marshal.WriteIntPtr(Pointer, i * nint.Size, _strings[i]);
        Marshal.WriteIntPtr(Pointer, _strings.Length * nint.Size, nint.Zero);
    }

    public nint Pointer { get; }

    public void Dispose()
    {
        foreach (var text in _strings)
            Marshal.FreeCoTaskMem(text);
        Marshal.FreeCoTaskMem(Pointer);
    }
}
