using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using k8s.Models;

namespace Enclaves.Api;

/// <summary>Reads amounts of memory as Kubernetes writes them (1Gi, 512Mi, 1073741824), in whole bytes.</summary>
public static partial class MemoryQuantity
{
    /// <summary>Bytes of the quantity.</summary>
    /// <param name="text">The quantity, at most 32 characters.</param>
    /// <param name="bytes">The bytes, when the answer is true.</param>
    /// <param name="problem">What is wrong and what is allowed, when the answer is false.</param>
    public static bool TryParse(string? text, out long bytes, [NotNullWhen(false)] out string? problem)
    {
        bytes = 0;
        // The client library takes its time over "1e999999", reads "1,5Gi" as 15Gi and throws three kinds of exceptions;
        // what passes this grammar it reads at once and correctly.
        if (text is null || !Grammar().IsMatch(text))
        {
            problem = $"'{Excerpt(text)}' is not a quantity; allowed is a number with an optional suffix, such as 1Gi or 512Mi";
            return false;
        }

        if (!TryRead(text, out var value) || value != decimal.Truncate(value) || value >= long.MaxValue)
        {
            problem = $"'{text}' is not a whole number of bytes below 2^63; allowed is a number with an optional suffix, such as 1Gi or 512Mi";
            return false;
        }

        bytes = (long)value;
        problem = null;
        return true;
    }

    private static bool TryRead(string text, out decimal value)
    {
        try
        {
            value = new ResourceQuantity(text).ToDecimal();
            return true;
        }
        catch (OverflowException)
        {
            value = 0;
            return false;
        }
    }

    private static string Excerpt(string? text) => text is null ? "" : text.Length <= 40 ? text : text[..40] + "…";

    [GeneratedRegex(@"\A\+?(?:[0-9]{1,18}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})(?:[KMGTPE]i|[mkMGTPE]|[eE]\+?[0-9]{1,2})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Grammar();
}
