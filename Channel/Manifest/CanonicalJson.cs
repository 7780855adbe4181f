using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Enclaves.Channel.Manifest;

/// <summary>
/// The JSON Canonicalization Scheme, RFC 8785, for the values a manifest can hold. Numbers are whole and within ±(2^53 - 1), where
/// the scheme's ECMAScript form is the plain decimal one; any other number is an error, never an approximation.
/// </summary>
internal static class CanonicalJson
{
    private const long MaxSafeInteger = (1L << 53) - 1;

    // Of a number within the bounds, sign included.
    private const int MaxDigits = 17;

    public static void Write(JsonElement element, IBufferWriter<byte> output)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(element, output);
                break;
            case JsonValueKind.Array:
                WriteArray(element, output);
                break;
            case JsonValueKind.String:
                var text = JsonMarshal.GetRawUtf8Value(element)[1..^1];
                WriteString(text, IsPlain(text) ? null : element.GetString(), output);
                break;
            case JsonValueKind.Number:
                if (!element.TryGetInt64(out var number) || Math.Abs(number) > MaxSafeInteger)
                    throw new ManifestException($"manifest: the number {element.GetRawText()} is not a whole number within 53 bits");
                number.TryFormat(output.GetSpan(MaxDigits), out var written, default, CultureInfo.InvariantCulture);
                output.Advance(written);
                break;
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            default:
                output.Write("null"u8);
                break;
        }
    }

    private static void WriteObject(JsonElement element, IBufferWriter<byte> output)
    {
        var rented = ArrayPool<JsonProperty>.Shared.Rent(element.GetPropertyCount());
        var members = rented.AsSpan(0, element.GetPropertyCount());
        var count = 0;
        foreach (var member in element.EnumerateObject())
            members[count++] = member;
        members.Sort(ByName);
        output.Write("{"u8);
        for (var i = 0; i < members.Length; i++)
        {
            if (i > 0)
                output.Write(","u8);
            var name = JsonMarshal.GetRawUtf8PropertyName(members[i]);
            WriteString(name, IsPlain(name) ? null : members[i].Name, output);
            output.Write(":"u8);
            Write(members[i].Value, output);
        }

        output.Write("}"u8);
        ArrayPool<JsonProperty>.Shared.Return(rented, clearArray: true);
    }

    // RFC 8785, 3.2.3: names are sorted by their UTF-16 code units, which is what ordinal comparison does. Those of ASCII, which a
    // manifest's are, have the same order by their bytes, and then no string is made.
    private static int ByName(JsonProperty a, JsonProperty b)
    {
        var left = JsonMarshal.GetRawUtf8PropertyName(a);
        var right = JsonMarshal.GetRawUtf8PropertyName(b);
        return IsPlain(left) && IsPlain(right) ? left.SequenceCompareTo(right) : string.CompareOrdinal(a.Name, b.Name);
    }

    private static bool IsPlain(ReadOnlySpan<byte> text) => Ascii.IsValid(text) && !text.Contains((byte)'\\');

    private static void WriteArray(JsonElement element, IBufferWriter<byte> output)
    {
        output.Write("["u8);
        var first = true;
        foreach (var item in element.EnumerateArray())
        {
            if (!first)
                output.Write(","u8);
            first = false;
            Write(item, output);
        }

        output.Write("]"u8);
    }

    // A text without an escape is in canonical form as it stands: what must be escaped cannot stand in JSON without being so.
    private static void WriteString(ReadOnlySpan<byte> plain, string? other, IBufferWriter<byte> output)
    {
        if (other is not null)
        {
            WriteString(other, output);
            return;
        }

        output.Write("\""u8);
        output.Write(plain);
        output.Write("\""u8);
    }

    // RFC 8785, 3.2.2.2: only what JSON requires is escaped, with the short forms where there is one.
    private static void WriteString(string value, IBufferWriter<byte> output)
    {
        var text = new StringBuilder(value.Length + 2).Append('"');
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (char.IsSurrogate(c) && !(char.IsHighSurrogate(c) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]))
                && !(char.IsLowSurrogate(c) && i > 0 && char.IsHighSurrogate(value[i - 1])))
                throw new ManifestException("manifest: a string holds half of a surrogate pair");
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }

        output.Write(Encoding.UTF8.GetBytes(text.Append('"').ToString()));
    }
}
