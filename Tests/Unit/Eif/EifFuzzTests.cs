using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>A slice of what dev/bench fuzz does a million times.</summary>
public sealed class EifFuzzTests
{
    private const int Seed = 20261128;

    [Fact]
    public void No_image_does_more_to_its_reader_than_be_refused()
    {
        var fuzz = EifFuzz.Create();
        var outcomes = Enumerable.Range(0, 10_000).Select(number => fuzz.Run(Seed, number)).ToList();
        outcomes.Select(outcome => outcome.Failure).FirstOrDefault(failure => failure is not null).ShouldBeNull();
        // Or it would say nothing.
        var counts = outcomes.CountBy(outcome => outcome.Outcome).ToDictionary();
        foreach (var outcome in new[] { "taken", "damaged", "signature refused", "refused" })
            counts.GetValueOrDefault(outcome).ShouldBeGreaterThan(100, string.Join(", ", counts));
    }
}
