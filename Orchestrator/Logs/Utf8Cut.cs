namespace Enclaves.Orchestrator.Logs;

/// <summary>Where a line can be cut without cutting a character in two.</summary>
internal static class Utf8Cut
{
    /// <summary>Bytes of the first piece: <paramref name="max"/>, or up to three less where that is inside of a character of UTF-8.</summary>
    /// <param name="text">More than <paramref name="max"/> bytes, or as many where what follows is not known.</param>
    /// <param name="max">Bytes of the piece at most.</param>
    public static int Before(ReadOnlySpan<byte> text, int max)
    {
        // The last lead byte of the piece tells how many belong to its character (RFC 3629, section 3).
        for (var back = 1; back <= Math.Min(4, max); back++)
        {
            var value = text[max - back];
            if ((value & 0xC0) == 0x80)
                continue;
            var length = value switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
            return length > back && max > back ? max - back : max;
        }

        // No UTF-8 at all.
        return max;
    }
}
