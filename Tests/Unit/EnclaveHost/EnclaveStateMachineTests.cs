using Enclaves.EnclaveHost.Lifecycle;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class EnclaveStateMachineTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly EnclaveStateMachine _state;

    public EnclaveStateMachineTests() => _state = new EnclaveStateMachine(_time, NullLogger<EnclaveStateMachine>.Instance);

    [Fact]
    public void The_way_from_power_on_to_traffic_is_timed_phase_by_phase()
    {
        Walk(EnclaveState.Booting, EnclaveState.Booted, EnclaveState.ManifestSynced, EnclaveState.Running);
        var phases = _state.Phases;
        (phases.Booted - phases.BootStarted).ShouldBe(TimeSpan.FromSeconds(1));
        (phases.ManifestSynced - phases.Booted).ShouldBe(TimeSpan.FromSeconds(1));
        (phases.Running - phases.ManifestSynced).ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_recovery_does_not_move_the_time_of_the_first_traffic()
    {
        Walk(EnclaveState.Booting, EnclaveState.Booted, EnclaveState.ManifestSynced, EnclaveState.Running);
        var first = _state.Phases.Running;
        Walk(EnclaveState.Unhealthy, EnclaveState.Running);
        _state.Phases.Running.ShouldBe(first);
        _state.Last.At.ShouldBe(_time.GetUtcNow());
    }

    [Fact]
    public void What_the_enclave_says_is_bounded()
    {
        Walk(EnclaveState.Booting, EnclaveState.Booted, EnclaveState.ManifestSynced, EnclaveState.Running);
        _state.TryMove(EnclaveState.Unhealthy, new string('r', 1 << 20), new string('m', 1 << 20)).ShouldBeTrue();
        (_state.Last.Reason.Length, _state.Last.Message.Length).ShouldBe((64, 4096));
    }

    [Fact]
    public void Another_boot_starts_the_phases_anew_and_is_counted()
    {
        Walk(EnclaveState.Booting, EnclaveState.Booted, EnclaveState.Starting, EnclaveState.Booting);
        _state.Boots.ShouldBe(2);
        _state.Phases.Booted.ShouldBeNull();
        _state.Phases.BootStarted.ShouldBe(_time.GetUtcNow());
    }

    [Fact]
    public void A_health_check_that_comes_back_late_loses_against_a_stop()
    {
        Walk(EnclaveState.Booting, EnclaveState.Booted, EnclaveState.ManifestSynced, EnclaveState.Running, EnclaveState.Stopping);
        _state.TryMove(EnclaveState.Running, "Healthy").ShouldBeFalse();
        _state.TryMove(EnclaveState.Unhealthy, "NoAnswer").ShouldBeFalse();
        _state.State.ShouldBe(EnclaveState.Stopping);
    }

    [Fact]
    public void A_healthy_answer_before_the_manifest_is_sealed_brings_no_traffic()
    {
        Walk(EnclaveState.Booting, EnclaveState.Booted);
        _state.TryMove(EnclaveState.Running, "Healthy").ShouldBeFalse();
    }

    [Theory]
    [InlineData(nameof(EnclaveState.Stopped))]
    [InlineData(nameof(EnclaveState.Failed))]
    public void Nothing_leaves_a_final_state(string name)
    {
        var final = Enum.Parse<EnclaveState>(name);
        if (final == EnclaveState.Stopped)
            Walk(EnclaveState.Stopping);
        Walk(final);
        foreach (var state in Enum.GetValues<EnclaveState>())
            _state.TryMove(state, "Try").ShouldBeFalse();
    }

    [Fact]
    public void Every_move_is_told_and_counted_once_and_a_refused_one_not_at_all()
    {
        var told = new List<Transition>();
        _state.Moved += told.Add;
        Walk(EnclaveState.Booting);
        _state.TryMove(EnclaveState.Booting, "Again").ShouldBeFalse();
        told.ShouldHaveSingleItem().To.ShouldBe(EnclaveState.Booting);
        _state.Counts().ShouldBe([(EnclaveState.Starting, EnclaveState.Booting, 1)]);
    }

    [Fact]
    public void The_history_keeps_the_last_moves_only()
    {
        for (var i = 0; i < 100; i++)
            Walk(EnclaveState.Booting, EnclaveState.Starting);
        _state.History().Count.ShouldBe(32);
        _state.Boots.ShouldBe(100);
    }

    private void Walk(params EnclaveState[] states)
    {
        foreach (var state in states)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _state.TryMove(state, "Walk").ShouldBeTrue($"{_state.State} -> {state}");
        }
    }
}
