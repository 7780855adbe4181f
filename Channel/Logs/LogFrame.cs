using System.Buffers.Binary;

namespace Enclaves.Channel.Logs;

/// <summary>What is known of a line of <c>LogBatch.entries</c> beside its text.</summary>
/// <param name="UnixTicks">When it was written: 100 ns since 1970.</param>
/// <param name="Source">Which of the batch's sources wrote it.</param>
/// <param name="Partial">The line goes on in the next one of its source.</param>
/// <param name="Length">Bytes of its text.</param>
public readonly record struct LogFrame(long UnixTicks, ushort Source, bool Partial, int Length)
{
    /// <summary>Bytes of a frame before its text: time (8), source (2), flags (2), length (4), little-endian.</summary>
    public const int HeaderBytes = 16;

    /// <summary>Bytes of a text; a longer line is split.</summary>
    public const int MaxTextBytes = 16 * 1024;

    private const ushort PartialFlag = 1;

    /// <summary>Writes the header.</summary>
    public void Write(Span<byte> header)
    {
        BinaryPrimitives.WriteInt64LittleEndian(header, UnixTicks);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], Source);
        BinaryPrimitives.WriteUInt16LittleEndian(header[10..], Partial ? PartialFlag : (ushort)0);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], Length);
    }

    /// <summary>Reads a header that this side has written.</summary>
    public static LogFrame Read(ReadOnlySpan<byte> header) => new(
        BinaryPrimitives.ReadInt64LittleEndian(header), BinaryPrimitives.ReadUInt16LittleEndian(header[8..]),
        (BinaryPrimitives.ReadUInt16LittleEndian(header[10..]) & PartialFlag) != 0, BinaryPrimitives.ReadInt32LittleEndian(header[12..]));

    /// <summary>Takes the first frame off what the other side has sent.</summary>
    /// <param name="rest">What has not been read yet; afterwards without the frame.</param>
    /// <param name="sources">How many sources there are.</param>
    /// <param name="text">The frame's text.</param>
    /// <exception cref="InvalidDataException">It is cut, too long, or of no source.</exception>
    public static LogFrame Take(ref ReadOnlyMemory<byte> rest, int sources, out ReadOnlyMemory<byte> text)
    {
        if (rest.Length < HeaderBytes)
            throw new InvalidDataException("log batch: the last frame is cut");
        var frame = Read(rest.Span);
        if (frame.Length is < 0 or > MaxTextBytes || frame.Length > rest.Length - HeaderBytes)
            throw new InvalidDataException($"log batch: a text of {frame.Length} bytes, allowed are {MaxTextBytes}, and no more than are there");
        if (frame.Source >= sources)
            throw new InvalidDataException($"log batch: source {frame.Source} of {sources}");
        text = rest.Slice(HeaderBytes, frame.Length);
        rest = rest[(HeaderBytes + frame.Length)..];
        return frame;
    }
}
