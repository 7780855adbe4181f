namespace Enclaves.EnclaveHost.Eif;

/// <summary>Numbers of the Enclave Image Format. All of its integers are big-endian.</summary>
internal static class EifFormat
{
    /// <summary>What is written. Version 3 brought the signature, 4 the metadata.</summary>
    public const ushort Version = 4;

    /// <summary>The first version with a checksum; without one nothing can be said of a file.</summary>
    public const ushort OldestVersion = 2;

    /// <summary>Bytes of the file's header.</summary>
    public const int HeaderSize = 548;

    /// <summary>Where in the header the checksum is: its last field, which the checksum leaves out.</summary>
    public const int CrcOffset = 544;

    /// <summary>Bytes of a section's header.</summary>
    public const int SectionHeaderSize = 12;

    /// <summary>Places in the header's table of sections.</summary>
    public const int MaxSections = 32;

    /// <summary>Bit of the header's flags: the kernel is for aarch64, else for x86_64.</summary>
    public const ushort Arm64 = 1;

    /// <summary>More than any architecture's kernel takes.</summary>
    public const int MaxCommandLine = 4096;

    /// <summary>The format has no limit for what is read as a whole; these are far above what is useful.</summary>
    public const int MaxMetadata = 1 << 20;

    /// <summary>A certificate and a signature, each byte of which takes up to two.</summary>
    public const int MaxSignature = 256 << 10;

    /// <summary>The file's first bytes.</summary>
    public static ReadOnlySpan<byte> Magic => ".eif"u8;
}

/// <summary>What a section holds.</summary>
internal enum EifSectionType : ushort
{
    Kernel = 1,
    CommandLine = 2,
    Ramdisk = 3,
    Signature = 4,
    Metadata = 5,
}

/// <summary>A section in its file.</summary>
/// <param name="Offset">Of its first byte of content.</param>
internal readonly record struct EifSection(EifSectionType Type, long Offset, long Size);

/// <summary>A file is no EIF that can be used: one sentence that names it, what is wrong and what to do.</summary>
internal sealed class EifException(string file, string cause, string next = "build it again, or copy it again from where it is whole", Exception? inner = null)
    : Exception($"{file}: {cause}; {next}", inner);
