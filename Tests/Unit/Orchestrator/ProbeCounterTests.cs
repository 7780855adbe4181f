using Enclaves.Orchestrator.Health;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class ProbeCounterTests
{
    // S, F and ? are results, an x stands below each that counts.
    [Theory]
    [InlineData(1, 3, "FFF", "..x")]
    [InlineData(1, 3, "FFSFFF", "..x..x")]
    [InlineData(1, 3, "FF?F", "...x")]
    [InlineData(2, 1, "SSFSS", ".xx.x")]
    [InlineData(1, 1, "??", "..")]
    [InlineData(1, 3, "FFFFF", "..xxx")]
    public void Results_in_a_row_count_from_their_threshold_on(int success, int failure, string results, string counts)
    {
        var counter = new ProbeCounter(success, failure);
        string.Concat(results.Select(result => counter.Add(result switch
        {
            'S' => ProbeOutcome.Success,
            'F' => ProbeOutcome.Failure,
            _ => ProbeOutcome.Unknown,
        }) ? 'x' : '.')).ShouldBe(counts);
    }
}
