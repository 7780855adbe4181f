using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace Enclaves.Channel.Logs;

/// <summary>
/// Lines as JSON: {"time","container","stream","text"}. Put together by hand, since a line is mostly text that stands for itself and the rest
/// of it is the same each time; a JSON writer takes four times as long. For one thread at a time.
/// </summary>
public sealed class JsonLines
{
    // A character becomes six at most (\u0000), a byte that is no UTF-8 as well.
    private const int LongestEscape = 6;

    // Time, in the round-trip form, and what else is not the source's or the text.
    private const int RestBytes = 96;

    private const int SecondBytes = 19;
    private const int FractionDigits = 7;

    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
    private static readonly SearchValues<byte> Escaped = SearchValues.Create([.. Enumerable.Range(0, ' ').Select(c => (byte)c), (byte)'"', (byte)'\\', 0x7F]);

    private readonly byte[] _secondText = new byte[SecondBytes];
    private long _second = -1;

    /// <summary>Adds a line and its end.</summary>
    public void Write(LogLine line, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var text = line.Text.Span;
        // Above ASCII there are characters that are escaped too, of which the encoder knows.
        var isPlain = text.IndexOfAny(Escaped) < 0 && Ascii.IsValid(text);
        var buffer = output.GetSpan(RestBytes + line.Source.Json.Length + (isPlain ? text.Length : text.Length * LongestEscape));
        var at = Copy("{\"time\":\""u8, buffer, 0);
        at += FormatTime(line.Time.UtcTicks, buffer[at..]);
        at = Copy(line.Source.Json, buffer, at);
        at = isPlain ? Copy(text, buffer, at) : at + Encode(text, buffer[at..]);
        at = Copy(line.Partial ? "\",\"partial\":true}\n"u8 : "\"}\n"u8, buffer, at);
        output.Advance(at);
    }

    // RFC 3339 with all of the seven digits that there are. Many lines are of one second.
    private int FormatTime(long ticks, Span<byte> buffer)
    {
        var second = ticks - (ticks % TimeSpan.TicksPerSecond);
        if (second != _second)
            new DateTime(second, DateTimeKind.Utc).TryFormat(_secondText, out _, "s", CultureInfo.InvariantCulture);
        _second = second;
        _secondText.CopyTo(buffer);
        buffer[SecondBytes] = (byte)'.';
        var fraction = ticks - second;
        for (var digit = SecondBytes + FractionDigits; digit > SecondBytes; digit--, fraction /= 10)
            buffer[digit] = (byte)('0' + (fraction % 10));
        buffer[SecondBytes + FractionDigits + 1] = (byte)'Z';
        return SecondBytes + FractionDigits + 2;
    }

    private static int Encode(ReadOnlySpan<byte> text, Span<byte> buffer)
    {
        Encoder.EncodeUtf8(text, buffer, out _, out var written);
        return written;
    }

    private static int Copy(ReadOnlySpan<byte> from, Span<byte> to, int at)
    {
        from.CopyTo(to[at..]);
        return at + from.Length;
    }
}
