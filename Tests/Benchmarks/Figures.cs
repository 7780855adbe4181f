using System.Globalization;

namespace Enclaves.Tests.Benchmarks;

/// <summary>Prints what was measured, each figure on a line of its own. Nothing is judged here: the goal stands beside the value.</summary>
internal static class Figures
{
    /// <summary>Prints <c>NAME = VALUE UNIT (goal …)</c>.</summary>
    public static void Print(string name, double value, string unit, string goal)
    {
        // Three digits that count, and no more of them than were measured.
        var text = Math.Abs(value) >= 100 ? value.ToString("F0", CultureInfo.InvariantCulture) : value.ToString("G3", CultureInfo.InvariantCulture);
        Console.WriteLine($"{name} = {text}{(unit.Length > 0 ? " " + unit : "")} (goal {goal})");
    }

    /// <summary>The middle one of values; of an even number, the upper of the two.</summary>
    public static double Median(IReadOnlyCollection<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>Says on standard error what is being done.</summary>
    public static void Step(string text) => Console.Error.WriteLine($"benchmarks: {text}");
}
