using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Enclaves.Channel.Relay;

/// <summary>A pipe that bytes pass through on their way from one socket to another without being copied; empty whenever nobody uses it.</summary>
internal sealed partial class RelayPipe : IDisposable
{
    // Slots for 64 pages; the kernel's own is 16. Where the user's share of pipes is used up the kernel's is what there is.
    private const int WantedBytes = 256 * 1024;
    private const int CloseOnExec = 0x80000;
    private const int SetPipeSize = 1031;
    private const uint MoveWithoutWaiting = 1 | 2;

    private readonly SafeFileHandle _read;
    private readonly SafeFileHandle _write;

    private RelayPipe(SafeFileHandle read, SafeFileHandle write) => (_read, _write) = (read, write);

    /// <summary>What a call has come to.</summary>
    /// <param name="Bytes">Bytes moved; 0 at the end of the source.</param>
    /// <param name="Error">The kernel's error number; 0 for none.</param>
    internal readonly record struct Moved(int Bytes, int Error);

    /// <summary>Null where the kernel gives no more pipes: the process has too many descriptors.</summary>
    public static RelayPipe? Open()
    {
        Span<int> ends = stackalloc int[2];
        if (Pipe2(ends, CloseOnExec) < 0)
            return null;
        var pipe = new RelayPipe(new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
        _ = Control(pipe._write, SetPipeSize, WantedBytes);
        return pipe;
    }

    /// <summary>Takes what a socket that does not block has.</summary>
    public Moved Fill(SafeHandle from) => Result(Splice(from, 0, _write, 0, WantedBytes, MoveWithoutWaiting));

    /// <summary>Gives to a socket that does not block what it takes of so many bytes.</summary>
    public Moved Drain(SafeHandle to, int bytes) => Result(Splice(_read, 0, to, 0, (nuint)bytes, MoveWithoutWaiting));

    /// <summary>Takes bytes out that the socket did not want yet.</summary>
    public Moved Read(Span<byte> buffer) => Result(ReadBytes(_read, buffer, (nuint)buffer.Length));

    /// <inheritdoc/>
    public void Dispose()
    {
        _read.Dispose();
        _write.Dispose();
    }

    private static Moved Result(nint result) => result < 0 ? new Moved(0, Marshal.GetLastPInvokeError()) : new Moved((int)result, 0);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static partial int Pipe2(Span<int> ends, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeHandle descriptor, int command, int value);

    [LibraryImport("libc", EntryPoint = "splice", SetLastError = true)]
    private static partial nint Splice(SafeHandle from, nint fromOffset, SafeHandle to, nint toOffset, nuint bytes, uint flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadBytes(SafeHandle descriptor, Span<byte> buffer, nuint bytes);
}

/// <summary>Pipes that are in no connection's use. An idle connection has none.</summary>
internal static class PipePool
{
    private const int MaxKept = 32;
    private static readonly ConcurrentBag<RelayPipe> Kept = [];

    /// <summary>Null where there is none to be had.</summary>
    public static RelayPipe? Rent() => Kept.TryTake(out var pipe) ? pipe : RelayPipe.Open();

    /// <summary>Takes an empty pipe back; one that may not be empty is to be disposed of.</summary>
    public static void Return(RelayPipe pipe)
    {
        if (Kept.Count < MaxKept)
            Kept.Add(pipe);
        else
            pipe.Dispose();
    }
}
