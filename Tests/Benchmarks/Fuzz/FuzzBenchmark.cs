using System.Diagnostics;
using System.Globalization;
using Enclaves.Tests.Unit.Webhook.Fuzz;

namespace Enclaves.Tests.Benchmarks.Fuzz;

/// <summary>Runs many cases of <see cref="AdmissionFuzz"/>, on all processors.</summary>
internal static class FuzzBenchmark
{
    private const int DefaultCount = 1_000_000;
    private const int MaxShown = 10;

    /// <summary>Runs the cases; the answer is the program's exit code.</summary>
    public static int Run(string[] arguments, CancellationToken cancellation)
    {
        if (!TryNumber(arguments, 0, DefaultCount, out var count) || !TryNumber(arguments, 1, Random.Shared.Next(), out var seed))
        {
            Console.Error.WriteLine("benchmarks: fuzz [COUNT [SEED]]: both are whole numbers from 0 to 2147483647");
            return 2;
        }

        Figures.Step($"fuzz: {count} cases with seed {seed}");
        var outcomes = new long[Enum.GetValues<FuzzOutcome>().Length];
        var slowest = 0L;
        var shown = 0;
        Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellation }, number =>
        {
            var started = Stopwatch.GetTimestamp();
            var (outcome, failure) = AdmissionFuzz.Run(seed, number);
            InterlockedMax(ref slowest, Stopwatch.GetTimestamp() - started);
            Interlocked.Increment(ref outcomes[(int)outcome]);
            if (failure is not null && Interlocked.Increment(ref shown) <= MaxShown)
                Console.Error.WriteLine($"benchmarks: {failure}");
        });
        Figures.Step($"fuzz: {string.Join(", ", Enum.GetValues<FuzzOutcome>().Select(outcome => $"{outcome} {outcomes[(int)outcome]}"))}; "
            + $"the slowest case took {Stopwatch.GetElapsedTime(0, slowest).TotalMilliseconds:F0} ms");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz.seed = {seed}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz.admission_cases = {outcomes.Sum()}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz.admission_failures = {outcomes[(int)FuzzOutcome.Failed]}"));
        return outcomes[(int)FuzzOutcome.Failed] == 0 ? 0 : 1;
    }

    private static bool TryNumber(string[] arguments, int at, int fallback, out int number)
    {
        number = fallback;
        return arguments.Length <= at || int.TryParse(arguments[at], NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private static void InterlockedMax(ref long most, long value)
    {
        for (var known = Interlocked.Read(ref most); value > known;)
            known = Interlocked.CompareExchange(ref most, value, known) is var before && before == known ? value : before;
    }
}
