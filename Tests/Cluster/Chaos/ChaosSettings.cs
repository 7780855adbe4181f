namespace Enclaves.Tests.Cluster.Chaos;

/// <summary>How much happens, and for how long.</summary>
/// <param name="Seed">The same one makes the same changes and chooses the same faults; when they meet is left to the machine.</param>
/// <param name="Neds">NEDs that are created, and created again, under as many names.</param>
/// <param name="Duration">For how long there are changes and faults, at least: until every name was used and enough were killed.</param>
internal sealed record ChaosSettings(int Seed, int Neds, TimeSpan Duration)
{
    /// <summary>For how long nothing may change afterwards while something is still wrong. How long the whole takes is the machine's affair.</summary>
    public TimeSpan Standstill { get; init; } = TimeSpan.FromMinutes(1.5);

    /// <summary>Changes a second, at most: more than a machine of two processors can follow would only make a queue.</summary>
    public int ChangesPerSecond { get; init; } = 25;

    /// <summary>Fewest and most writes between two kills.</summary>
    public (int Fewest, int Most) WritesBetweenKills { get; init; } = (20, 250);

    /// <summary>Kills that there are at least.</summary>
    public int Kills { get; init; } = 8;
}

/// <summary>What came of it.</summary>
internal sealed record ChaosResult
{
    public required int Seed { get; init; }

    /// <summary>NEDs that were created.</summary>
    public required int Created { get; init; }

    /// <summary>NEDs that were changed.</summary>
    public required int Changed { get; init; }

    /// <summary>NEDs that were deleted.</summary>
    public required int Deleted { get; init; }

    /// <summary>Reconcilers that were killed.</summary>
    public required int Kills { get; init; }

    /// <summary>Answers that were refused or lost, and streams that were cut.</summary>
    public required int Faults { get; init; }

    /// <summary>Writes that the Reconcilers made.</summary>
    public required int Writes { get; init; }

    /// <summary>NEDs at the end.</summary>
    public required int Neds { get; init; }

    /// <summary>NEDs that should be there at the end.</summary>
    public required int NedsWanted { get; init; }

    /// <summary>What is not as the specs say, or too much, at the end.</summary>
    public required IReadOnlyList<string> Wrong { get; init; }

    /// <summary>Children without a NED at the end.</summary>
    public required int LeftOver { get; init; }

    /// <summary>Children that were made a second time for the same NED though nobody had deleted the first.</summary>
    public required IReadOnlyList<string> CreatedTwice { get; init; }

    /// <summary>From the last change until all was as it should be.</summary>
    public required double SecondsToConverge { get; init; }
}
