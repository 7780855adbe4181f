using System.Text;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>
/// The signature section as it is published, taken apart by hand: a list of one map of two arrays of integers, of which the second is a COSE_Sign1
/// message (RFC 9052) without its tag.
/// </summary>
internal sealed class PublishedSignature
{
    public PublishedSignature(byte[] section)
    {
        var at = 0;
        Expect(section, ref at, 0x81, 0xA2);
        Name(section, ref at, "signing_certificate");
        Certificate = Encoding.ASCII.GetString(Integers(section, ref at));
        Name(section, ref at, "signature");
        var message = Integers(section, ref at);
        Rest = section.Length - at;
        at = 0;
        Expect(message, ref at, 0x84);
        Protected = Bytes(message, ref at);
        Expect(message, ref at, 0xA0);
        Payload = Bytes(message, ref at);
        Value = Bytes(message, ref at);
        Rest += message.Length - at;
    }

    /// <summary>PEM.</summary>
    public string Certificate { get; }

    public byte[] Protected { get; }

    public byte[] Payload { get; }

    /// <summary>r and s behind each other.</summary>
    public byte[] Value { get; }

    /// <summary>Bytes that belong to nothing.</summary>
    public int Rest { get; }

    /// <summary>What the signature is over: the Sig_structure of RFC 9052, section 4.4.</summary>
    public byte[] Signed =>
    [
        0x84, 0x6A, .. "Signature1"u8, .. Head(0x40, Protected.Length), .. Protected, 0x40, .. Head(0x40, Payload.Length), .. Payload,
    ];

    private static byte[] Head(int major, int length) => length switch
    {
        < 24 => [(byte)(major | length)],
        < 256 => [(byte)(major | 24), (byte)length],
        _ => [(byte)(major | 25), (byte)(length >> 8), (byte)length],
    };

    private static void Expect(byte[] from, ref int at, params byte[] bytes)
    {
        foreach (var value in bytes)
        {
            if (from[at++] != value)
                throw new FormatException($"byte {at - 1} is {from[at - 1]:x2}, expected is {value:x2}");
        }
    }

    private static void Name(byte[] from, ref int at, string name)
    {
        if (Argument(from, ref at, 3) != name.Length)
            throw new FormatException($"byte {at - 1}: expected is {name}");
        Expect(from, ref at, Encoding.ASCII.GetBytes(name));
    }

    private static byte[] Bytes(byte[] from, ref int at)
    {
        var length = (int)Argument(from, ref at, 2);
        return from.AsSpan((at += length) - length, length).ToArray();
    }

    private static byte[] Integers(byte[] from, ref int at)
    {
        var bytes = new byte[Argument(from, ref at, 4)];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = checked((byte)Argument(from, ref at, 0));
        return bytes;
    }

    private static uint Argument(byte[] from, ref int at, int major)
    {
        var head = from[at++];
        if (head >> 5 != major)
            throw new FormatException($"byte {at - 1} is of major type {head >> 5}, expected is {major}");
        var number = (uint)(head & 31);
        var count = number < 24 ? 0 : 1 << (int)(number - 24);
        if (count > 0)
            number = 0;
        for (; count > 0; count--)
            number = (number << 8) | from[at++];
        return number;
    }
}
