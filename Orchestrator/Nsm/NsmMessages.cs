using System.Buffers.Binary;
using System.Text;

namespace Enclaves.Orchestrator.Nsm;

/// <summary>The Nitro Security Module refused, or answered with something else than its CBOR.</summary>
internal sealed class NsmException(string message) : Exception(message);

/// <summary>A measurement register as the module shows it.</summary>
internal sealed record NsmRegisterState(bool IsLocked, byte[] Value);

/// <summary>
/// Requests and responses of the Nitro Security Module: CBOR (RFC 8949) with definite lengths. A request is a map of its name to a map of its
/// fields, or its name alone where it has none; a response is the same, or <c>{"Error": CODE}</c>.
/// </summary>
internal static class NsmMessages
{
    private const byte Unsigned = 0x00;
    private const byte Bytes = 0x40;
    private const byte Text = 0x60;
    private const byte Map = 0xA0;

    /// <summary>Asks for the state of a register.</summary>
    public static byte[] DescribePcr(ushort index) => [.. Named("DescribePCR", 1), .. Key("index"), .. Head(Unsigned, index)];

    /// <summary>Extends a register: SHA-384(old ‖ data).</summary>
    public static byte[] ExtendPcr(ushort index, ReadOnlySpan<byte> data) =>
        [.. Named("ExtendPCR", 2), .. Key("index"), .. Head(Unsigned, index), .. Key("data"), .. Head(Bytes, data.Length), .. data];

    /// <summary>Locks a register until the enclave ends.</summary>
    public static byte[] LockPcr(ushort index) => [.. Named("LockPCR", 1), .. Key("index"), .. Head(Unsigned, index)];

    /// <summary>Asks for entropy.</summary>
    public static byte[] GetRandom() => Key("GetRandom");

    /// <exception cref="NsmException">It is another response.</exception>
    public static NsmRegisterState ReadDescribePcr(ReadOnlySpan<byte> response)
    {
        var fields = ReadFields(response, "DescribePCR");
        return fields.TryGetValue("lock", out var locked) && locked is bool isLocked && fields.TryGetValue("data", out var data) && data is byte[] value
            ? new NsmRegisterState(isLocked, value)
            : throw Garbage("DescribePCR", "a field is missing");
    }

    /// <exception cref="NsmException">It is another response.</exception>
    public static byte[] ReadExtendPcr(ReadOnlySpan<byte> response) => ReadBytes(response, "ExtendPCR", "data");

    /// <exception cref="NsmException">It is another response.</exception>
    public static void ReadLockPcr(ReadOnlySpan<byte> response) => _ = ReadFields(response, "LockPCR");

    /// <exception cref="NsmException">It is another response.</exception>
    public static byte[] ReadGetRandom(ReadOnlySpan<byte> response) => ReadBytes(response, "GetRandom", "random");

    private static byte[] ReadBytes(ReadOnlySpan<byte> response, string name, string field) =>
        ReadFields(response, name).TryGetValue(field, out var value) && value is byte[] bytes ? bytes : throw Garbage(name, $"{field} is missing");

    // Fields by name; none where the response is a name alone.
    private static Dictionary<string, object> ReadFields(ReadOnlySpan<byte> response, string name)
    {
        var fields = new Dictionary<string, object>(StringComparer.Ordinal);
        var reader = new Reader(response, name);
        if (reader.IsText)
            return reader.ReadText() == name ? reader.End(fields) : throw Garbage(name, "it is the response to something else");
        if (reader.ReadMap() != 1)
            throw Garbage(name, "it is not one response");
        var said = reader.ReadText();
        if (said == "Error")
            throw new NsmException($"the Nitro Security Module refuses {name}: {reader.ReadText()}");
        if (said != name)
            throw Garbage(name, "it is the response to something else");
        for (var left = reader.ReadMap(); left > 0; left--)
            fields[reader.ReadText()] = reader.ReadValue();
        return reader.End(fields);
    }

    private static byte[] Named(string name, int fields) => [Map | 1, .. Key(name), .. Head(Map, fields)];

    private static byte[] Key(string text) => [.. Head(Text, text.Length), .. Encoding.ASCII.GetBytes(text)];

    // The shortest form, as the module's own library writes it.
    private static byte[] Head(byte type, int value)
    {
        if (value < 24)
            return [(byte)(type | value)];
        if (value <= byte.MaxValue)
            return [(byte)(type | 24), (byte)value];
        var head = new byte[3] { (byte)(type | 25), 0, 0 };
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(1), checked((ushort)value));
        return head;
    }

    private static NsmException Garbage(string name, string problem) => new($"the Nitro Security Module does not answer {name} as it should: {problem}");

    private ref struct Reader(ReadOnlySpan<byte> bytes, string name)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private readonly string _name = name;
        private int _at;

        public readonly bool IsText => _at < _bytes.Length && (_bytes[_at] & 0xE0) == Text;

        public int ReadMap() => ReadHead(Map);

        public string ReadText() => Encoding.UTF8.GetString(Take(ReadHead(Text)));

        public object ReadValue()
        {
            if (_at >= _bytes.Length)
                throw Garbage(_name, "it ends early");
            switch (_bytes[_at])
            {
                case 0xF4:
                    _at++;
                    return false;
                case 0xF5:
                    _at++;
                    return true;
                case var first when (first & 0xE0) == Bytes:
                    return Take(ReadHead(Bytes)).ToArray();
                case var first when (first & 0xE0) == Text:
                    return ReadText();
                default:
                    return ReadHead(Unsigned);
            }
        }

        public readonly T End<T>(T result) => _at == _bytes.Length ? result : throw Garbage(_name, "more follows");

        private int ReadHead(byte type)
        {
            var first = Take(1)[0];
            if ((first & 0xE0) != type)
                throw Garbage(_name, "a value is of another type");
            return (first & 0x1F) switch
            {
                < 24 and var small => small,
                24 => Take(1)[0],
                25 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
                26 when BinaryPrimitives.ReadUInt32BigEndian(Take(4)) is <= 0xFFFF and var long4 => (int)long4,
                _ => throw Garbage(_name, "a length is not one"),
            };
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            if (count > _bytes.Length - _at)
                throw Garbage(_name, "it ends early");
            var taken = _bytes.Slice(_at, count);
            _at += count;
            return taken;
        }
    }
}
