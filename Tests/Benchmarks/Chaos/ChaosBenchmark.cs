using System.Globalization;
using Enclaves.Tests.Cluster.Chaos;

namespace Enclaves.Tests.Benchmarks.Chaos;

/// <summary>Ten minutes of what the cluster suite does for one and a half, on the development cluster.</summary>
internal static class ChaosBenchmark
{
    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(10);

    /// <summary>Runs it with the seed given, or any, and prints the figures.</summary>
    /// <returns>The exit code: 1 when something was wrong in the end.</returns>
    public static async Task<int> Run(string[] arguments, CancellationToken cancellation)
    {
        if (!TrySeed(arguments, out var seed))
        {
            await Console.Error.WriteLineAsync("benchmarks: chaos [SEED]: a whole number from 0 to 2147483647");
            return 2;
        }

        var result = await ChaosRun.Run(new ChaosSettings(seed, Neds: 1000, Duration), Figures.Step, cancellation);
        foreach (var line in result.Wrong.Concat(result.CreatedTwice).Take(50))
            await Console.Error.WriteLineAsync(line);
        Print("seed", result.Seed);
        Print("neds", result.Neds);
        Print("created", result.Created);
        Print("changed", result.Changed);
        Print("deleted", result.Deleted);
        Print("kills", result.Kills);
        Print("faults", result.Faults);
        Print("writes", result.Writes);
        Print("wrong", result.Wrong.Count);
        Print("left_over", result.LeftOver);
        Print("created_twice", result.CreatedTwice.Count);
        Print("seconds_to_converge", (int)Math.Ceiling(result.SecondsToConverge));
        return result.Wrong.Count == 0 && result.CreatedTwice.Count == 0 && result.Neds == result.NedsWanted ? 0 : 1;
    }

    private static bool TrySeed(string[] arguments, out int seed)
    {
        seed = Random.Shared.Next();
        return arguments.Length == 0 || (int.TryParse(arguments[0], NumberStyles.None, CultureInfo.InvariantCulture, out seed) && arguments.Length == 1);
    }

    private static void Print(string name, int value) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"chaos.{name} = {value}"));
}
