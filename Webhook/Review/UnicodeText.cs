using System.Globalization;
using System.Text.Unicode;

namespace Enclaves.Webhook.Review;

/// <summary>
/// JSON can hold strings that are no text: bytes that are not UTF-8, and escapes of half a character. They parse, and then every look at
/// them throws; so they are looked for once. An API server never sends them.
/// </summary>
internal static class UnicodeText
{
    private const int EscapeLength = 6;

    /// <summary>Whether every string of a JSON text, which has been parsed before, is Unicode.</summary>
    public static bool Holds(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            return false;
        for (var at = json.IndexOf((byte)'\\'); at >= 0; at = json.IndexOf((byte)'\\'))
        {
            json = json[at..];
            if (json[1] != 'u')
            {
                json = json[2..];
                continue;
            }

            var unit = CodeUnit(json);
            json = json[EscapeLength..];
            if (char.IsLowSurrogate(unit))
                return false;
            if (!char.IsHighSurrogate(unit))
                continue;
            if (!json.StartsWith("\\u"u8) || !char.IsLowSurrogate(CodeUnit(json)))
                return false;
            json = json[EscapeLength..];
        }

        return true;
    }

    private static char CodeUnit(ReadOnlySpan<byte> escape) =>
        (char)ushort.Parse(escape[2..EscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
