using System.Globalization;
using System.Text;

namespace Enclaves.Reconciler.Status;

/// <summary>
/// Words of others inside a sentence of ours: on one line, of bounded length, and without characters that hide or reorder text on a
/// terminal. Some come from inside an enclave, whose owner may be anybody.
/// </summary>
internal static class Quote
{
    /// <summary>As long as a termination message may be at most (kubelet, 4096 bytes) would drown the rest.</summary>
    public const int Longest = 600;

    /// <summary>The words, without a full stop at their end.</summary>
    /// <param name="text">What somebody said; null is nothing.</param>
    /// <param name="longest">Most characters (UTF-16) to keep; what is left out is shown by an ellipsis.</param>
    public static string Of(string? text, int longest = Longest)
    {
        var line = new StringBuilder(Math.Min(text?.Length ?? 0, longest + 2));
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            var character = IsHarmless(rune) ? rune : new Rune(' ');
            if (character.Value == ' ' && (line.Length == 0 || line[^1] == ' '))
                continue;
            if (line.Length + character.Utf16SequenceLength > longest)
                return line.ToString().TrimEnd() + "…";
            line.Append(character);
        }

        return line.ToString().TrimEnd().TrimEnd('.');
    }

    private static bool IsHarmless(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
