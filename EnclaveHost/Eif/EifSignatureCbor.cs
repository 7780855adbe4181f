using System.Formats.Cbor;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>
/// CBOR of the signature section and of what is signed. The Nitro tools write bytes as arrays of integers, and compare what is signed byte for
/// byte: that is the form to write. Byte strings are read as well.
/// </summary>
internal static class EifSignatureCbor
{
    private const string CertificateKey = "signing_certificate";
    private const string SignatureKey = "signature";

    /// <summary>What is signed: the register's number and value.</summary>
    public static byte[] Payload(ReadOnlySpan<byte> pcr0)
    {
        var writer = new CborWriter();
        writer.WriteStartMap(2);
        writer.WriteTextString("register_index");
        writer.WriteInt32(0);
        writer.WriteTextString("register_value");
        WriteBytes(writer, pcr0);
        writer.WriteEndMap();
        return writer.Encode();
    }

    public static byte[] Write(ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> signature)
    {
        var writer = new CborWriter();
        writer.WriteStartArray(1);
        writer.WriteStartMap(2);
        writer.WriteTextString(CertificateKey);
        WriteBytes(writer, certificate);
        writer.WriteTextString(SignatureKey);
        WriteBytes(writer, signature);
        writer.WriteEndMap();
        writer.WriteEndArray();
        return writer.Encode();
    }

    /// <summary>Certificate and signature of the first item; the rest must be CBOR.</summary>
    /// <exception cref="Exception">One of <see cref="IsMalformed"/>.</exception>
    public static (byte[] Certificate, byte[] Signature) ReadFirst(ReadOnlyMemory<byte> section)
    {
        var reader = new CborReader(section);
        reader.ReadStartArray();
        (byte[] Certificate, byte[] Signature)? first = null;
        while (reader.PeekState() != CborReaderState.EndArray)
        {
            if (first is null)
                first = ReadItem(reader);
            else
                reader.SkipValue();
        }

        reader.ReadEndArray();
        if (reader.BytesRemaining > 0)
            throw new InvalidDataException($"{reader.BytesRemaining} bytes follow its list");
        return first ?? throw new InvalidDataException("its list is empty");
    }

    /// <summary>Whether an exception is one of those by which malformed CBOR shows.</summary>
    public static bool IsMalformed(Exception e) => e is CborContentException or InvalidOperationException or OverflowException or InvalidDataException;

    private static (byte[] Certificate, byte[] Signature) ReadItem(CborReader reader)
    {
        byte[]? certificate = null, signature = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case CertificateKey:
                    certificate = ReadBytes(reader);
                    break;
                case SignatureKey:
                    signature = ReadBytes(reader);
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        reader.ReadEndMap();
        return (certificate ?? throw new InvalidDataException($"it has no {CertificateKey}"), signature ?? throw new InvalidDataException($"it has no {SignatureKey}"));
    }

    private static byte[] ReadBytes(CborReader reader)
    {
        if (reader.PeekState() is CborReaderState.ByteString or CborReaderState.StartIndefiniteLengthByteString)
            return reader.ReadByteString();
        var bytes = new List<byte>();
        reader.ReadStartArray();
        while (reader.PeekState() != CborReaderState.EndArray)
            bytes.Add(checked((byte)reader.ReadUInt32()));
        reader.ReadEndArray();
        return [.. bytes];
    }

    private static void WriteBytes(CborWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.WriteStartArray(bytes.Length);
        foreach (var value in bytes)
            writer.WriteUInt32(value);
        writer.WriteEndArray();
    }
}
