using System.Buffers.Binary;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>
/// Finds the sections of a file. One reader may go by the header's table and another from section to section: only a file that is the same for
/// both is taken, without gaps, overlaps or rests, so that what is measured is what is booted.
/// </summary>
internal static class EifLayout
{
    /// <summary>Compares the header's table with the sections that are in the file.</summary>
    /// <exception cref="EifException">They are not the same, or not those of an image that boots.</exception>
    public static IReadOnlyList<EifSection> Read(Stream stream, EifHeader header, string file)
    {
        var sections = new List<EifSection>(header.Table.Count);
        var (at, length) = ((ulong)EifFormat.HeaderSize, (ulong)stream.Length);
        Span<byte> start = stackalloc byte[EifFormat.SectionHeaderSize];
        foreach (var (offset, size) in header.Table)
        {
            var number = sections.Count + 1;
            CheckPlace(number, offset, at, file);
            if (length - at < EifFormat.SectionHeaderSize || length - at - EifFormat.SectionHeaderSize < size)
                throw new EifException(file, $"is truncated: section {number} of {size} bytes starts at byte {at}, and the file has {length}");
            stream.Position = (long)at;
            stream.ReadExactly(start);
            var section = Section(start, number, size, (long)at + EifFormat.SectionHeaderSize, file);
            sections.Add(section);
            at = (ulong)(section.Offset + section.Size);
        }

        if (at != length)
            throw new EifException(file, $"has {length - at} bytes behind its last section, which nothing accounts for");
        CheckKinds(sections, file);
        return sections;
    }

    /// <summary>What a section is called in messages.</summary>
    public static string Name(EifSectionType type) => type switch
    {
        EifSectionType.Kernel => "kernel",
        EifSectionType.CommandLine => "command line",
        EifSectionType.Ramdisk => "ramdisk",
        EifSectionType.Signature => "signature",
        _ => "metadata",
    };

    private static void CheckPlace(int number, ulong offset, ulong expected, string file)
    {
        if (offset == expected)
            return;
        var how = offset < expected ? "overlaps what is before it" : "leaves a gap";
        throw new EifException(file, $"section {number} {how}: its header is at byte {offset} by the file's table, and what is before it ends at {expected}");
    }

    private static EifSection Section(ReadOnlySpan<byte> start, int number, ulong size, long offset, string file)
    {
        var type = (EifSectionType)BinaryPrimitives.ReadUInt16BigEndian(start);
        var own = BinaryPrimitives.ReadUInt64BigEndian(start[4..]);
        if (type is < EifSectionType.Kernel or > EifSectionType.Metadata)
            throw new EifException(file, $"section {number} is of type {(ushort)type}, known are 1 to 5");
        if (own != size)
            throw new EifException(file, $"section {number} ({Name(type)}) has {own} bytes by its own header and {size} by the file's");
        if (size > Limit(type))
            throw new EifException(file, $"section {number} ({Name(type)}) has {size} bytes, allowed are {Limit(type)}");
        return new EifSection(type, offset, (long)size);
    }

    // A kernel and its ramdisks are never in memory as a whole; they cannot be larger than the file.
    private static ulong Limit(EifSectionType type) => type switch
    {
        EifSectionType.CommandLine => EifFormat.MaxCommandLine,
        EifSectionType.Signature => EifFormat.MaxSignature,
        EifSectionType.Metadata => EifFormat.MaxMetadata,
        _ => long.MaxValue,
    };

    // The registers are made of kernel, command line and ramdisks in this order; in a file with another one they would depend on who measures.
    private static void CheckKinds(List<EifSection> sections, string file)
    {
        foreach (var (type, least, most) in ((EifSectionType, int, int)[])
        [
            (EifSectionType.Kernel, 1, 1), (EifSectionType.CommandLine, 1, 1), (EifSectionType.Ramdisk, 1, EifFormat.MaxSections),
            (EifSectionType.Signature, 0, 1), (EifSectionType.Metadata, 0, 1),
        ])
        {
            var count = sections.Count(section => section.Type == type);
            if (count < least || count > most)
                throw new EifException(file, $"has {count} sections of type {Name(type)}, {(least == most ? "needed is 1" : $"possible are {least} to {most}")}");
        }

        var measured = sections.Select(section => section.Type).Where(type => type <= EifSectionType.Ramdisk).ToList();
        if (!measured.SequenceEqual(measured.Order()))
            throw new EifException(file, $"its sections are out of order ({string.Join(", ", measured.Select(Name))}): kernel, command line and ramdisks follow each other in every image");
    }
}
