using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Enclaves.Api;

/// <summary>Reads amounts of processor time as Kubernetes writes them (500m, 2, 0.5), in thousandths of a processor.</summary>
public static partial class CpuQuantity
{
    /// <summary>Thousandths of a processor.</summary>
    /// <param name="text">The quantity.</param>
    /// <param name="millis">The thousandths, above 0, when the answer is true.</param>
    /// <param name="problem">What is wrong and what is allowed, when the answer is false.</param>
    public static bool TryParse(string? text, out long millis, [NotNullWhen(false)] out string? problem)
    {
        millis = 0;
        problem = null;
        var match = Grammar().Match(text ?? "");
        if (match.Success)
        {
            var number = decimal.Parse(match.Groups["number"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
            var value = match.Groups["milli"].Success ? number : number * 1000;
            if (value > 0 && value == decimal.Truncate(value))
            {
                millis = (long)value;
                return true;
            }
        }

        problem = $"'{(text?.Length > 40 ? text[..40] + "…" : text)}' is not an amount of processor time; allowed are 500m, 2, 0.5 and the like, above 0 and in whole thousandths";
        return false;
    }

    [GeneratedRegex(@"\A(?<number>[0-9]{1,9}(?:\.[0-9]{1,6})?)(?<milli>m)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Grammar();
}
