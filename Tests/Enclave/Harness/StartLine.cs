using System.Globalization;
using System.Text.RegularExpressions;

namespace Enclaves.Tests.Enclave.Harness;

/// <summary>A step of a start, as EnclaveHost logs it.</summary>
internal sealed record StartStep(string Name, int Milliseconds);

/// <summary>EnclaveHost's line that says where the time of a start went.</summary>
internal sealed partial record StartLine(int Milliseconds, IReadOnlyList<StartStep> Steps)
{
    /// <summary>All such lines of a log, one a boot.</summary>
    public static IReadOnlyList<StartLine> In(string log) =>
        [.. Line().Matches(log).Select(line => new StartLine(Number(line.Groups[1]), StepsOf(line)))];

    private static IReadOnlyList<StartStep> StepsOf(Match line) =>
        [.. line.Groups[2].Captures.Zip(line.Groups[3].Captures, (name, time) => new StartStep(name.Value, Number(time)))];

    private static int Number(Capture digits) => int.Parse(digits.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("ready in ([0-9]+) ms:(?: ([a-z]+) ([0-9]+),?)+")]
    private static partial Regex Line();
}
