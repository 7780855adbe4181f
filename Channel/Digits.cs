using System.Globalization;

namespace Enclaves.Channel;

/// <summary>Reads numbers that came from the other side of a boundary.</summary>
public static class Digits
{
    /// <summary>
    /// Reads a number of decimal digits and nothing else. The framework's own parsers let any number of NULs follow, which the next program on
    /// the way may take for the end, or for part of a name.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out uint number)
    {
        number = 0;
        return !text.ContainsAnyExceptInRange('0', '9') && uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>Reads a port, 1 to 65535.</summary>
    public static bool TryParsePort(ReadOnlySpan<char> text, out int port)
    {
        var isNumber = TryParse(text, out var number);
        port = isNumber && number <= 65535 ? (int)number : 0;
        return port > 0;
    }
}
