using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Status;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class ConditionPoliciesTests
{
    private static readonly DeploymentObservation Complete = new() { IsObserved = true, Total = 2, Updated = 2, Ready = 2, Available = 2 };

    [Fact]
    public void Everything_as_wanted() =>
        Conditions(Observe(Complete)).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=True EnclavesReady, Ready=True AllEnclavesReady, Reconciling=False Settled, Stalled=False NotStalled");

    [Fact]
    public void A_sweep_that_finds_a_ready_enclave_unwell_speaks_for_its_health_and_for_nothing_else() =>
        Conditions(Observe(Complete) with { Swept = new PodTrouble("EnclaveUnhealthy", "x") }).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=False EnclaveUnhealthy, Ready=True AllEnclavesReady, Reconciling=False Settled, Stalled=False NotStalled");

    [Fact]
    public void What_keeps_others_from_being_ready_goes_before_what_a_sweep_has_found() =>
        Conditions(Observe(Complete with { Ready = 1, Available = 1 }) with { Pods = new PodTrouble("PluginImagePull", "y"), Swept = new PodTrouble("EnclaveUnhealthy", "x") })
            .ShouldContain("EnclavesHealthy=False PluginImagePull");

    [Fact]
    public void A_spec_that_the_deployment_controller_has_not_seen_yet() =>
        Conditions(Observe(Complete with { IsObserved = false })).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=True EnclavesReady, Ready=False RolloutStarting, Reconciling=True RolloutStarting, Stalled=False NotStalled");

    [Fact]
    public void A_rollout_on_its_way() =>
        Conditions(Observe(Complete with { Updated = 1, Total = 3, Ready = 1, Available = 1 })).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=False EnclavesNotReady, Ready=False RollingOut, Reconciling=True RollingOut, Stalled=False NotStalled");

    [Fact]
    public void A_rollout_that_is_stuck() =>
        Conditions(Observe(Complete with { Ready = 1, Available = 1, DeadlineFailure = "has timed out" })).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=False EnclavesNotReady, Ready=False ProgressDeadlineExceeded, Reconciling=False Stalled, Stalled=True ProgressDeadlineExceeded");

    [Fact]
    public void A_rollout_that_was_stuck_and_whose_mended_spec_has_not_been_seen_yet() =>
        Conditions(Observe(Complete with { IsObserved = false, Ready = 1, Available = 1, DeadlineFailure = "has timed out", CreationFailure = "quota" })).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=False EnclavesNotReady, Ready=False RolloutStarting, Reconciling=True RolloutStarting, Stalled=False NotStalled");

    [Fact]
    public void A_rollout_that_is_paused() =>
        Conditions(Observe(Complete with { Updated = 0 }) with { Paused = true }).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=True EnclavesReady, Ready=False Paused, Reconciling=False Paused, Stalled=False NotStalled");

    [Fact]
    public void Pods_that_the_api_server_refuses() =>
        Conditions(Observe(new DeploymentObservation { IsObserved = true, Total = 0, Updated = 0, Ready = 0, Available = 0, CreationFailure = "x." })).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=False PodsNotCreated, Ready=False RollingOut, Reconciling=True RollingOut, Stalled=False NotStalled");

    [Fact]
    public void Pods_that_are_refused_for_a_known_cause()
    {
        var observed = Observe(new DeploymentObservation { IsObserved = true, Total = 0, Updated = 0, Ready = 0, Available = 0, CreationFailure = """pods "a" is forbidden: exceeded quota: q""" });
        Conditions(observed).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=False QuotaExceeded, Ready=False RollingOut, Reconciling=True RollingOut, Stalled=False NotStalled");
        ConditionPolicies.Reconciling(observed).Message.ShouldContain("exceeded quota: q");
    }

    [Fact]
    public void Pods_of_an_earlier_template_that_were_refused() =>
        Conditions(Observe(Complete with { Total = 2, Ready = 0, Available = 0, CreationFailure = "no PriorityClass with name x was found" }) with { Pods = new PodTrouble("NoNodes", "Add one.") }).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=False NoNodes, Ready=False RollingOut, Reconciling=True RollingOut, Stalled=False NotStalled");

    [Fact]
    public void Somebody_elses_object_in_the_way() =>
        Conditions(Observe(null, new NedProblem("NameConflict", "Rename it.", NeedsHelp: true))).ShouldBe(
            "Scheduled=False NameConflict, EnclavesHealthy=Unknown NoDeployment, Ready=False NameConflict, Reconciling=False Stalled, Stalled=True NameConflict");

    [Fact]
    public void An_api_server_that_is_away() =>
        Conditions(Observe(Complete, new NedProblem("ApiServerUnavailable", "Retried.", NeedsHelp: false))).ShouldBe(
            "Scheduled=False ApiServerUnavailable, EnclavesHealthy=True EnclavesReady, Ready=False ApiServerUnavailable, Reconciling=True Retrying, Stalled=False NotStalled");

    [Fact]
    public void No_enclaves_wanted() =>
        Conditions(Observe(new DeploymentObservation { IsObserved = true, Total = 0, Updated = 0, Ready = 0, Available = 0 }) with { Replicas = 0 }).ShouldBe(
            "Scheduled=True DeploymentAccepted, EnclavesHealthy=True NoEnclavesWanted, Ready=True AllEnclavesReady, Reconciling=False Settled, Stalled=False NotStalled");

    private static NedObservation Observe(DeploymentObservation? deployment, NedProblem? problem = null) =>
        new("default", "hello", 3, 2, false, deployment, problem);

    private static string Conditions(NedObservation observed) => string.Join(", ", ConditionPolicies.All.Select(condition =>
    {
        var verdict = condition.Policy(observed);
        verdict.Message.ShouldNotBeNullOrWhiteSpace();
        return $"{condition.Type}={verdict.Status} {verdict.Reason}";
    }));
}
