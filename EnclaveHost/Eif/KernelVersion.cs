using System.Buffers.Binary;
using System.Text;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>The version that a Linux kernel says it is. On x86 its boot header points to the text (Documentation/arch/x86/boot.rst, kernel_version).</summary>
internal static class KernelVersion
{
    /// <summary>For a kernel that does not say.</summary>
    public const string Unknown = "Unknown";

    private const int BootHeader = 0x202;
    private const int Pointer = 0x20E;
    private const int SetupStart = 0x200;

    /// <summary>Reads the release, such as 6.1.0-37-cloud-amd64, out of the start of a kernel.</summary>
    public static string Of(ReadOnlySpan<byte> kernel)
    {
        if (kernel.Length < Pointer + 2 || !kernel[BootHeader..].StartsWith("HdrS"u8))
            return Unknown;
        var at = BinaryPrimitives.ReadUInt16LittleEndian(kernel[Pointer..]) + SetupStart;
        if (at >= kernel.Length)
            return Unknown;
        var text = kernel[at..];
        var end = text.IndexOfAny((byte)' ', (byte)0);
        return end is > 0 and < 128 && text[..end].IndexOfAnyExceptInRange((byte)'!', (byte)'~') < 0 ? Encoding.ASCII.GetString(text[..end]) : Unknown;
    }
}
