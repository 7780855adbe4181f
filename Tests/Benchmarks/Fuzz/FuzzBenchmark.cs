using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Enclaves.Tests.Unit.Boundary;
using Enclaves.Tests.Unit.Eif;
using Enclaves.Tests.Unit.Webhook.Fuzz;

namespace Enclaves.Tests.Benchmarks.Fuzz;

/// <summary>Runs many cases of <see cref="AdmissionFuzz"/>, <see cref="ManifestFuzz"/>, <see cref="SessionFuzz"/>, <see cref="LogFuzz"/> and <see cref="EifFuzz"/>, on all processors.</summary>
internal static class FuzzBenchmark
{
    private const int DefaultCount = 1_000_000;
    private const int MaxShown = 10;
    private const int ProgressEvery = 100_000;

    private static readonly string[] Parts = ["admission", "manifest", "session", "log", "eif"];

    /// <summary>Runs the cases; the answer is the program's exit code.</summary>
    public static int Run(string[] arguments, CancellationToken cancellation)
    {
        var parts = arguments.TakeWhile(argument => !char.IsAsciiDigit(argument.FirstOrDefault())).ToHashSet(StringComparer.Ordinal);
        var numbers = arguments[parts.Count..];
        if (!parts.IsSubsetOf(Parts) || numbers.Length > 2 || !TryNumber(numbers, 0, DefaultCount, out var count) || !TryNumber(numbers, 1, Random.Shared.Next(), out var seed))
        {
            Console.Error.WriteLine($"benchmarks: fuzz [{string.Join('|', Parts)} …] [COUNT [SEED]]: both are whole numbers from 0 to 2147483647");
            return 2;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz.seed = {seed}"));
        var folder = Directory.CreateTempSubdirectory("enclaves-fuzz-").FullName;
        var sessionParts = new SessionParts(folder);
        try
        {
            var session = new SessionFuzz(sessionParts);
            using var log = new LogFuzz();
            var eif = EifFuzz.Create();
            var failures = 0L;
            foreach (var part in Parts.Where(part => parts.Count == 0 || parts.Contains(part)))
            {
                failures += RunAll(part, count, number => part switch
                {
                    "admission" => Named(AdmissionFuzz.Run(seed, number)),
                    "manifest" => ManifestFuzz.Run(seed, number),
                    "session" => session.Run(seed, number),
                    "log" => log.Run(seed, number),
                    _ => eif.Run(seed, number),
                }, cancellation);
            }

            return failures == 0 ? 0 : 1;
        }
        finally
        {
            sessionParts.DisposeAsync().AsTask().GetAwaiter().GetResult();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (string Outcome, string? Failure) Named((FuzzOutcome Outcome, string? Failure) result) => (result.Outcome.ToString(), result.Failure);

    private static long RunAll(string name, int count, Func<int, (string Outcome, string? Failure)> run, CancellationToken cancellation)
    {
        Figures.Step($"fuzz: {count} cases of {name}");
        var outcomes = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        var (slowest, failures, done) = (0L, 0L, 0L);
        Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellation }, number =>
        {
            var started = Stopwatch.GetTimestamp();
            var (outcome, failure) = run(number);
            InterlockedMax(ref slowest, Stopwatch.GetTimestamp() - started);
            outcomes.AddOrUpdate(outcome, 1, static (_, known) => known + 1);
            if (failure is not null && Interlocked.Increment(ref failures) <= MaxShown)
                Console.Error.WriteLine($"benchmarks: {failure}");
            if (Interlocked.Increment(ref done) % ProgressEvery == 0)
                Figures.Step($"fuzz:   {done} of {count}");
        });
        Figures.Step($"fuzz: {string.Join(", ", outcomes.OrderBy(outcome => outcome.Key, StringComparer.Ordinal).Select(outcome => $"{outcome.Key} {outcome.Value}"))}; "
            + $"the slowest case took {Stopwatch.GetElapsedTime(0, slowest).TotalMilliseconds:F0} ms");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz.{name}_cases = {outcomes.Values.Sum()}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz.{name}_failures = {failures} (goal 0)"));
        return failures;
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
