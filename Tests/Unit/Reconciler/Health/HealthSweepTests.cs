using System.Collections.Concurrent;
using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Control.Events;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Status;
using Enclaves.Tests.Unit.Reconciler.Events;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Health;

public sealed class HealthSweepTests
{
    private static readonly EnclaveStatus Well = new() { State = "Running", Boots = 1 };

    private readonly TestClock _clock = new();
    private readonly ClusterStores _stores = new() { IsOfOneNamespace = true };
    private readonly SweepFindings _findings;
    private readonly List<ObjectKey> _told = [];
    private readonly ConcurrentDictionary<string, Func<CancellationToken, Task<EnclaveReport?>>> _answers = new();
    private readonly HealthSweep _sweep;
    private int _version;

    public HealthSweepTests()
    {
        _findings = new SweepFindings(_stores);
        _findings.Changed += _told.Add;
        var events = new NedEvents(new EventRecorder(new FakeSink(), _clock, NullLogger<EventRecorder>.Instance));
        _sweep = new HealthSweep((pod, cancellation) => _answers[pod.Key.Name](cancellation), _stores, _findings, events, _clock, NullLogger<HealthSweep>.Instance);
        _stores.Neds.Put(Object("""{"metadata":{"name":"hello","namespace":"default","uid":"n","resourceVersion":"1"}}"""));
    }

    [Fact]
    public async Task Those_that_run_are_asked_and_counted_by_their_state()
    {
        Answer("a", Well);
        Answer("b", Well with { State = "Unhealthy" });
        Answer("c", Well with { State = "<script>" });
        Answer("d", null);
        Put("creating", state: """{"waiting":{"reason":"ContainerCreating"}}""");
        Put("leaving", deleted: true);
        Put("stranger", ned: "another");
        var summary = await Run();
        (summary.Enclaves, summary.Answered, summary.Silent, summary.NotAsked).ShouldBe((4, 3, 1, 0));
        summary.ByState.ShouldBe(new Dictionary<string, int> { ["Other"] = 1, ["Running"] = 1, ["Silent"] = 1, ["Unhealthy"] = 1 }, ignoreOrder: true);
    }

    [Fact]
    public async Task A_ready_pod_whose_enclave_says_again_that_it_is_unwell_is_told_once_and_taken_back_once()
    {
        var pod = Answer("a", Well with { State = "Unhealthy" });
        await Run();
        _told.ShouldBeEmpty();
        for (var again = 0; again < 5; again++)
            await Run();
        _told.ShouldHaveSingleItem().ShouldBe(new ObjectKey("default", "hello"));
        _findings.Of([pod]).ShouldNotBeNull().Reason.ShouldBe("EnclaveUnhealthy");
        Answer("a", Well);
        await Run();
        await Run();
        _told.Count.ShouldBe(2);
        _findings.Of([pod]).ShouldBeNull();
    }

    [Fact]
    public async Task A_pod_that_is_not_ready_or_gone_has_no_finding_of_a_sweep()
    {
        Answer("a", Well with { State = "Unhealthy" });
        await Run();
        await Run();
        _findings.Of([Put("a", ready: "False")]).ShouldBeNull();
        var ready = Put("a");
        _findings.Of([ready]).ShouldNotBeNull();
        _stores.Pods.Remove(ready.Key);
        _findings.Of([ready]).ShouldBeNull();
    }

    [Fact]
    public async Task When_most_are_silent_none_of_them_is_blamed()
    {
        var pods = Enumerable.Range(0, 6).Select(number => Answer($"p{number}", number == 0 ? Well : null)).ToList();
        for (var sweep = 0; sweep < 5; sweep++)
            await Run();
        _findings.Of(pods).ShouldBeNull();
        _told.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sweep_ends_at_its_limit_and_the_next_begins_with_those_that_were_not_asked()
    {
        var asked = new ConcurrentQueue<string>();
        var hang = true;
        for (var number = 0; number < 200; number++)
        {
            var name = $"p{number:d3}";
            Put(name);
            _answers[name] = async cancellation =>
            {
                asked.Enqueue(name);
                if (hang)
                    await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
                return new EnclaveReport(_clock.GetUtcNow(), Well, null);
            };
        }

        // Of the first 100, each answers at once.
        for (var number = 0; number < 100; number++)
        {
            var name = $"p{number:d3}";
            _answers[name] = _ => Task.FromResult<EnclaveReport?>(new EnclaveReport(_clock.GetUtcNow(), Well, null));
        }

        var sweep = _sweep.RunAsync(TestContext.Current.CancellationToken);
        await _clock.Waits(HealthSweep.Limit);
        // They are asked in order: with the first that hangs, some have answered.
        while (asked.IsEmpty)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        _clock.Advance(HealthSweep.Limit);
        var summary = await sweep;
        summary.Answered.ShouldBeLessThanOrEqualTo(100);
        summary.NotAsked.ShouldBe(200 - summary.Answered);
        summary.NotAsked.ShouldBeGreaterThan(0);
        hang = false;
        var before = summary.Answered;
        (await Run()).Answered.ShouldBe(200);
        before.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Whoever_stops_the_sweep_ends_it()
    {
        Put("a");
        _answers["a"] = async cancellation =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
            return null;
        };
        using var stop = new CancellationTokenSource();
        var sweep = _sweep.RunAsync(stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(sweep);
    }

    private Task<SweepSummary> Run()
    {
        _clock.Advance(TimeSpan.FromSeconds(30));
        return _sweep.RunAsync(TestContext.Current.CancellationToken);
    }

    private LiveObject Answer(string pod, EnclaveStatus? status)
    {
        _answers[pod] = _ => Task.FromResult<EnclaveReport?>(new EnclaveReport(_clock.GetUtcNow(), status, status is null ? "refused" : null));
        return Put(pod);
    }

    private LiveObject Put(string name, string state = """{"running":{}}""", string ready = "True", string ned = "hello", bool deleted = false)
    {
        var deletion = deleted ? "\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"," : "";
        var pod = Object($$$"""
            {"metadata":{{{{deletion}}}"name":"{{{name}}}","namespace":"default","uid":"{{{name}}}","resourceVersion":"{{{++_version}}}","labels":{"k8s.oblv.com/deployment":"{{{ned}}}"}},
            "status":{"podIP":"10.0.0.7","conditions":[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"{{{ready}}}"}],
            "containerStatuses":[{"name":"enclave-host","restartCount":0,"state":{{{state}}}}]}}
            """);
        _stores.Pods.Put(pod);
        return pod;
    }

    private static LiveObject Object(string json)
    {
        using var document = JsonDocument.Parse(json);
        return LiveObject.From(document.RootElement.Clone())!;
    }
}
