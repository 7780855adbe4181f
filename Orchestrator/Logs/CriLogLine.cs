using System.Globalization;
using System.Text;

namespace Enclaves.Orchestrator.Logs;

/// <summary>One line of a container's log file in the format of the CRI: <c>time stream tags text</c>, the tag P for a part of a line.</summary>
internal readonly ref struct CriLogLine
{
    private CriLogLine(DateTimeOffset time, string stream, bool partial, ReadOnlySpan<byte> text)
    {
        Time = time;
        Stream = stream;
        Partial = partial;
        Text = text;
    }

    public DateTimeOffset Time { get; }

    public string Stream { get; }

    public bool Partial { get; }

    public ReadOnlySpan<byte> Text { get; }

    /// <summary>Reads a line without its end; false when it has another form.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out CriLogLine parsed)
    {
        parsed = default;
        if (!Cut(ref line, out var time) || !Cut(ref line, out var stream) || !Cut(ref line, out var tags))
            return false;
        if (!DateTimeOffset.TryParse(Encoding.ASCII.GetString(time), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var when))
            return false;
        var isError = stream.SequenceEqual("stderr"u8);
        if (!isError && !stream.SequenceEqual("stdout"u8))
            return false;
        parsed = new CriLogLine(when, isError ? "stderr" : "stdout", tags.StartsWith("P"u8), line);
        return true;
    }

    private static bool Cut(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> word)
    {
        var space = rest.IndexOf((byte)' ');
        word = space < 0 ? default : rest[..space];
        rest = space < 0 ? default : rest[(space + 1)..];
        return space > 0;
    }
}
