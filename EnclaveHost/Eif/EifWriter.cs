using System.Buffers.Binary;
using Enclaves.EnclaveHost.Drivers;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>
/// Writes an image: kernel, command line, metadata, ramdisks, signature, as the Nitro tools order them. The same recipe gives the same bytes,
/// but for the signature, which is another one each time.
/// </summary>
internal static class EifWriter
{
    private const int BufferSize = 128 << 10;

    /// <summary>Writes a file, which is there as a whole or not at all, and reads it again.</summary>
    /// <exception cref="EifException">What it is made of cannot be read, or the file not be written.</exception>
    public static ImageMeasurements Write(EifRecipe recipe, string path)
    {
        var draft = path + ".part";
        try
        {
            using (var output = new FileStream(draft, FileMode.Create, FileAccess.ReadWrite))
                WriteTo(output, recipe);
            var measurements = Seal(draft, path);
            File.Move(draft, path, overwrite: true);
            return measurements;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EifException(path, $"cannot be written: {e.Message}", "name a file in a folder that is there, is writable and has space", e);
        }
        finally
        {
            if (File.Exists(draft))
                File.Delete(draft);
        }
    }

    private static void WriteTo(FileStream output, EifRecipe recipe)
    {
        var table = new List<(ulong Offset, ulong Size)>();
        using var measurement = new EifMeasurement();
        output.Position = EifFormat.HeaderSize;
        AddFile(EifSectionType.Kernel, recipe.KernelPath);
        Add(EifSectionType.CommandLine, new MemoryStream(recipe.CommandLineBytes()));
        Add(EifSectionType.Metadata, new MemoryStream(recipe.Metadata));
        foreach (var ramdisk in recipe.RamdiskPaths)
            AddFile(EifSectionType.Ramdisk, ramdisk);
        if (recipe.Signer is { } signer)
            Add(EifSectionType.Signature, new MemoryStream(EifSignature.Sign(measurement.Pcr0(), signer)));
        if (table.Count > EifFormat.MaxSections)
            throw new EifException(output.Name, $"would have {table.Count} sections, possible are {EifFormat.MaxSections}", "join ramdisks");
        output.Position = 0;
        output.Write(new EifHeader { Version = EifFormat.Version, Flags = recipe.IsArm64 ? EifFormat.Arm64 : (ushort)0, Table = table }.ToBytes());

        void AddFile(EifSectionType type, string path)
        {
            using var content = OpenInput(type, path);
            Add(type, content);
        }

        void Add(EifSectionType type, Stream content)
        {
            var start = output.Position;
            output.Position += EifFormat.SectionHeaderSize;
            measurement.Begin(type);
            var buffer = new byte[BufferSize];
            while (content.Read(buffer) is var count and > 0)
            {
                measurement.Append(type, buffer.AsSpan(0, count));
                output.Write(buffer, 0, count);
            }

            var (end, size) = (output.Position, output.Position - start - EifFormat.SectionHeaderSize);
            output.Position = start;
            output.Write(SectionHeader(type, (ulong)size));
            output.Position = end;
            table.Add(((ulong)start, (ulong)size));
        }
    }

    // The checksum is over the whole file, its header first: it is known when all the rest is there.
    private static ImageMeasurements Seal(string draft, string path)
    {
        EifFindings findings;
        using (var image = EifImage.Open(draft))
        {
            findings = image.Examine();
            if (findings.Signature?.Problem(Convert.FromHexString(findings.Measurements.Pcr0)) is { } problem)
                throw new EifException(path, $"was signed, but {problem}", "see that nothing else writes to it");
        }

        using var file = new FileStream(draft, FileMode.Open, FileAccess.Write) { Position = EifFormat.CrcOffset };
        Span<byte> crc = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(crc, findings.Crc);
        file.Write(crc);
        return findings.Measurements;
    }

    private static byte[] SectionHeader(EifSectionType type, ulong size)
    {
        var bytes = new byte[EifFormat.SectionHeaderSize];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)type);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(4), size);
        return bytes;
    }

    private static FileStream OpenInput(EifSectionType type, string path)
    {
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (stream.Length > 0)
                return stream;
            stream.Dispose();
            throw new EifException(path, $"is empty, and shall be a {EifLayout.Name(type)}", "name a file with content");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EifException(path, $"the {EifLayout.Name(type)} cannot be read: {e.Message}", "name a file that is there and readable", e);
        }
    }
}
