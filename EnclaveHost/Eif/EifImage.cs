using System.Buffers;
using System.IO.Hashing;
using Enclaves.EnclaveHost.Drivers;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>Is given each part of each section's content, in the order of the file.</summary>
internal delegate void EifSink(EifSection section, ReadOnlySpan<byte> content);

/// <summary>What going through a file once has found.</summary>
/// <param name="Crc">The checksum of what the file holds.</param>
/// <param name="Signature">Null where the image is not signed.</param>
internal sealed record EifFindings(uint Crc, ImageMeasurements Measurements, EifSignature? Signature);

/// <summary>
/// An enclave image that is open for reading. It may come from anybody: nothing is allocated by what it claims, and no more of it is in memory
/// than a buffer and its small sections.
/// </summary>
internal sealed class EifImage : IDisposable
{
    private const int BufferSize = 128 << 10;

    private readonly Stream _stream;

    private EifImage(Stream stream, string file, EifHeader header, IReadOnlyList<EifSection> sections)
    {
        _stream = stream;
        File = file;
        Header = header;
        Sections = sections;
    }

    /// <summary>What it is called in messages.</summary>
    public string File { get; }

    public EifHeader Header { get; }

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<EifSection> Sections { get; }

    /// <summary>Opens a file and checks where its sections are.</summary>
    /// <exception cref="EifException">It cannot be read or is no image.</exception>
    public static EifImage Open(string path)
    {
        FileStream stream;
        try
        {
            // Unbuffered: what is read is read in large pieces.
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EifException(path, $"cannot be read: {e.Message}", "name a file that is there and readable", e);
        }

        return Open(stream, path);
    }

    /// <summary>Takes a stream that can seek, which it disposes, and checks where its sections are.</summary>
    /// <exception cref="EifException">It is no image.</exception>
    public static EifImage Open(Stream stream, string file)
    {
        try
        {
            if (!stream.CanSeek)
                throw new EifException(file, "is no ordinary file", "name a file");
            var bytes = new byte[EifFormat.HeaderSize];
            var count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (count < bytes.Length && bytes.AsSpan().StartsWith(EifFormat.Magic))
                throw new EifException(file, $"is truncated: it has {count} bytes, and the header alone has {EifFormat.HeaderSize}");
            var header = EifHeader.Parse(bytes, file);
            return new EifImage(stream, file, header, EifLayout.Read(stream, header, file));
        }
        catch (Exception e)
        {
            stream.Dispose();
            if (e is IOException)
                throw new EifException(file, $"cannot be read: {e.Message}", "look at its disk", e);
            throw;
        }
    }

    /// <summary>Goes through the file once: its checksum, its registers, its signature, and for whoever asks each part of its content.</summary>
    /// <exception cref="EifException">The file cannot be read to its end, or its signature section is none.</exception>
    public EifFindings Examine(EifSink? sink = null, CancellationToken cancellation = default)
    {
        using var measurement = new EifMeasurement();
        var crc = new Crc32();
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            _stream.Position = 0;
            Append(crc, buffer, EifFormat.CrcOffset);
            _stream.Position = EifFormat.HeaderSize;
            foreach (var section in Sections)
            {
                Append(crc, buffer, EifFormat.SectionHeaderSize);
                measurement.Begin(section.Type);
                for (var left = section.Size; left > 0;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var part = Append(crc, buffer, (int)Math.Min(left, BufferSize));
                    measurement.Append(section.Type, part);
                    sink?.Invoke(section, part);
                    left -= part.Length;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var signature = Small(EifSectionType.Signature) is { } content ? EifSignature.Read(content, File) : null;
        return new EifFindings(crc.GetCurrentHashAsUInt32(), measurement.Finish(signature?.Certificate.RawDataMemory), signature);
    }

    /// <summary>The content of a section that is small by its type and that there is at most once; null where there is none.</summary>
    public byte[]? Small(EifSectionType type)
    {
        foreach (var section in Sections)
        {
            if (section.Type != type)
                continue;
            var content = new byte[section.Size];
            _stream.Position = section.Offset;
            Fill(content);
            return content;
        }

        return null;
    }

    public void Dispose() => _stream.Dispose();

    private ReadOnlySpan<byte> Append(Crc32 crc, byte[] buffer, int count)
    {
        var part = buffer.AsSpan(0, count);
        Fill(part);
        crc.Append(part);
        return part;
    }

    private void Fill(Span<byte> buffer)
    {
        try
        {
            _stream.ReadExactly(buffer);
        }
        catch (IOException e)
        {
            throw new EifException(File, $"cannot be read: {e.Message}", "see that nothing writes to it, and look at its disk", e);
        }
    }
}
