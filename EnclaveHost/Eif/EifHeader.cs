using System.Buffers.Binary;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>The header of the file. What its table says is not believed before <see cref="EifLayout"/> has compared it with the file.</summary>
internal sealed record EifHeader
{
    private const int TableOffset = 28;

    public required ushort Version { get; init; }

    public required ushort Flags { get; init; }

    /// <summary>Bytes of memory that the image suggests.</summary>
    public ulong DefaultMemory { get; init; } = 1UL << 30;

    /// <summary>CPUs that the image suggests.</summary>
    public ulong DefaultCpus { get; init; } = 2;

    /// <summary>For each section the offset of its header, and the bytes of its content.</summary>
    public required IReadOnlyList<(ulong Offset, ulong Size)> Table { get; init; }

    public uint Crc { get; init; }

    public bool IsArm64 => (Flags & EifFormat.Arm64) != 0;

    /// <summary>Reads a header of the right length.</summary>
    /// <exception cref="EifException">It is none that this program knows.</exception>
    public static EifHeader Parse(ReadOnlySpan<byte> bytes, string file)
    {
        if (!bytes.StartsWith(EifFormat.Magic))
            throw new EifException(file, "is no enclave image: it does not start with .eif", "name a file that dev/image or nitro-cli build-enclave has written");
        var version = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (version is < EifFormat.OldestVersion or > EifFormat.Version)
        {
            throw new EifException(
                file, $"has version {version} of the format, known are {EifFormat.OldestVersion} to {EifFormat.Version}", "build it with a tool of one of these versions");
        }

        var count = BinaryPrimitives.ReadUInt16BigEndian(bytes[26..]);
        if (count is 0 or > EifFormat.MaxSections)
            throw new EifException(file, $"its header counts {count} sections, possible are 1 to {EifFormat.MaxSections}");
        return new EifHeader
        {
            Version = version,
            Flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]),
            DefaultMemory = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
            DefaultCpus = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
            Table = ReadTable(bytes, count),
            Crc = BinaryPrimitives.ReadUInt32BigEndian(bytes[EifFormat.CrcOffset..]),
        };
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[EifFormat.HeaderSize];
        EifFormat.Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), Flags);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), DefaultMemory);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(16), DefaultCpus);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(26), (ushort)Table.Count);
        for (var i = 0; i < Table.Count; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(OffsetAt(i)), Table[i].Offset);
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(SizeAt(i)), Table[i].Size);
        }

        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(EifFormat.CrcOffset), Crc);
        return bytes;
    }

    private static (ulong Offset, ulong Size)[] ReadTable(ReadOnlySpan<byte> bytes, int count)
    {
        var table = new (ulong Offset, ulong Size)[count];
        for (var i = 0; i < count; i++)
            table[i] = (BinaryPrimitives.ReadUInt64BigEndian(bytes[OffsetAt(i)..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[SizeAt(i)..]));
        return table;
    }

    // All offsets come first, then all sizes.
    private static int OffsetAt(int index) => TableOffset + (8 * index);

    private static int SizeAt(int index) => TableOffset + (8 * (EifFormat.MaxSections + index));
}
