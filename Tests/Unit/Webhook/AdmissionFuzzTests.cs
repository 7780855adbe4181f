using System.Collections.Concurrent;
using Enclaves.Tests.Unit.Webhook.Fuzz;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

public sealed class AdmissionFuzzTests
{
    // Always the same cases, so that a failure is the change's; dev/bench fuzz tries others.
    private const int Seed = 20260301;
    private const int Count = 20_000;

    [Fact]
    public void Whatever_is_sent_is_decided_on_or_refused_as_malformed()
    {
        var failures = new ConcurrentBag<string>();
        var outcomes = new ConcurrentDictionary<FuzzOutcome, int>();
        Parallel.For(0, Count, number =>
        {
            var (outcome, failure) = AdmissionFuzz.Run(Seed, number);
            outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);
            if (failure is not null)
                failures.Add(failure);
        });
        failures.Take(3).ShouldBeEmpty($"{failures.Count} of {Count} cases failed with seed {Seed}; run them again with dev/bench fuzz {Count} {Seed}");
        // Cases that all ended at the parser would show nothing.
        foreach (var outcome in Enum.GetValues<FuzzOutcome>().Where(outcome => outcome != FuzzOutcome.Failed))
            outcomes.GetValueOrDefault(outcome).ShouldBeGreaterThan(Count / 50, outcome.ToString());
    }

    [Fact]
    public void A_case_is_the_same_wherever_it_is_run()
    {
        var start = System.Text.Json.JsonDocument.Parse(FuzzCorpus.Reviews[0].Review).RootElement;
        for (var seed = 0; seed < 100; seed++)
            ReviewMutator.Mutate(start, new Random(seed)).ShouldBe(ReviewMutator.Mutate(start, new Random(seed)));
    }
}
