using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>A file without a name that ends with this process, whatever ends it. A child opens it by <see cref="Path"/>.</summary>
internal sealed partial class MemoryFile : IDisposable
{
    private const uint CloseOnExec = 1;

    private readonly FileStream _stream;

    /// <exception cref="IOException">The kernel gives none.</exception>
    public MemoryFile(string name)
    {
        var descriptor = Create(name, CloseOnExec);
        if (descriptor < 0)
            throw new IOException($"memfd_create: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        Path = $"/proc/{Environment.ProcessId}/fd/{descriptor}";
        // Unbuffered: whoever opens the path sees all that was written.
        _stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Write, bufferSize: 0);
    }

    /// <summary>Good for processes of the same user, as long as this is not disposed.</summary>
    public string Path { get; }

    public void Write(ReadOnlySpan<byte> content) => _stream.Write(content);

    public void Dispose() => _stream.Dispose();

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Create(string name, uint flags);
}
