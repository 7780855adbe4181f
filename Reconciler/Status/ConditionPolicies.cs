using Enclaves.Api;

namespace Enclaves.Reconciler.Status;

/// <summary>What a policy finds: the reason and the message become those of the condition.</summary>
/// <param name="Status">True, False or Unknown.</param>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Message">One sentence; with the next step where there is something to do.</param>
internal readonly record struct Verdict(string Status, string Reason, string Message)
{
    /// <summary>The condition holds.</summary>
    public static Verdict True(string reason, string message) => new("True", reason, message);

    /// <summary>The condition does not hold.</summary>
    public static Verdict False(string reason, string message) => new("False", reason, message);
}

/// <summary>Pure functions from what is observed to the conditions of a NED: nothing else decides them.</summary>
internal static class ConditionPolicies
{
    /// <summary>The conditions in the order in which they are written.</summary>
    public static readonly IReadOnlyList<(string Type, Func<NedObservation, Verdict> Policy)> All =
    [
        (NedConditions.Scheduled, Scheduled),
        (NedConditions.EnclavesHealthy, EnclavesHealthy),
        (NedConditions.Ready, Ready),
        (NedConditions.Reconciling, Reconciling),
        (NedConditions.Stalled, Stalled),
    ];

    /// <summary>Whether the API server has accepted the children of this generation.</summary>
    public static Verdict Scheduled(NedObservation ned) => ned.Problem is { } problem
        ? Verdict.False(problem.Reason, problem.Message)
        : Verdict.True(Reasons.DeploymentAccepted, $"Deployment {ned.Namespace}/{ned.Name} is accepted for generation {ned.Generation}.");

    /// <summary>Whether every enclave that is wanted reports itself ready.</summary>
    public static Verdict EnclavesHealthy(NedObservation ned) => ned.Deployment switch
    {
        null => new Verdict("Unknown", Reasons.NoDeployment, "There is no Deployment yet whose enclaves could be healthy; see the condition Scheduled."),
        _ when ned.Refused is { } refusal => Verdict.False(refusal.Reason, refusal.Message),
        _ when ned.Replicas == 0 => Verdict.True(Reasons.NoEnclavesWanted, "No enclaves are wanted: spec.replicas is 0."),
        { } deployment when deployment.Ready >= ned.Replicas && ned.Swept is { } trouble =>
            Verdict.False(trouble.Reason, $"{deployment.Ready} of {ned.Replicas} enclaves are ready by their pods, but: {trouble.Message}"),
        { } deployment when deployment.Ready >= ned.Replicas => Verdict.True(Reasons.EnclavesReady, $"{deployment.Ready} of {ned.Replicas} enclaves are ready."),
        { } deployment when ned.Waits is { } trouble => Verdict.False(trouble.Reason, $"{deployment.Ready} of {ned.Replicas} enclaves are ready. {trouble.Message}"),
        { } deployment => Verdict.False(Reasons.EnclavesNotReady,
            $"{deployment.Ready} of {ned.Replicas} enclaves are ready; what the others wait for: {DescribePods(ned)}"),
    };

    /// <summary>kstatus: all that is wanted is there and ready.</summary>
    public static Verdict Ready(NedObservation ned)
    {
        if (ned.Problem is { } problem)
            return Verdict.False(problem.Reason, problem.Message);
        if (IsComplete(ned))
            return Verdict.True(Reasons.AllEnclavesReady, $"All {ned.Replicas} enclaves run generation {ned.Generation} and are ready.");
        var stalled = Stalled(ned);
        var cause = stalled.Status == "True" ? stalled : Reconciling(ned);
        return Verdict.False(cause.Reason, cause.Message);
    }

    /// <summary>kstatus: a change is on its way.</summary>
    public static Verdict Reconciling(NedObservation ned)
    {
        if (ned.Problem is { } problem)
        {
            return problem.NeedsHelp
                ? Verdict.False(Reasons.Stalled, "Nothing moves on until the problem in the condition Stalled is mended.")
                : Verdict.True(Reasons.Retrying, problem.Message);
        }

        if (IsComplete(ned))
            return Verdict.False(Reasons.Settled, "Everything is as the spec says.");
        // Before its controller has seen it, what a Deployment says is about an earlier spec, which may be the one that this one mends.
        if (ned.Deployment is not { IsObserved: true } deployment)
            return Verdict.True(Reasons.RolloutStarting, $"Deployment {ned.Namespace}/{ned.Name} is about to roll out generation {ned.Generation}.");
        if (ned.Waits?.NeedsHelp == true)
            return Verdict.False(Reasons.Stalled, "Nothing moves on until what the condition Stalled says is mended.");
        if (deployment.DeadlineFailure is not null)
            return Verdict.False(Reasons.Stalled, "The rollout does not get on; see the condition Stalled.");
        if (ned.Paused)
            return Verdict.False(Reasons.Paused, "The rollout is paused: set spec.paused to false to let it go on.");
        return Verdict.True(Reasons.RollingOut,
            $"{deployment.Updated} of {ned.Replicas} enclaves run the current spec, {deployment.Available} are available, {deployment.Total} exist; "
            + (ned.Waits?.Message ?? $"to see what they wait for: {DescribePods(ned)}"));
    }

    /// <summary>kstatus: no progress without somebody's help.</summary>
    public static Verdict Stalled(NedObservation ned)
    {
        if (ned.Problem is { NeedsHelp: true } problem)
            return Verdict.True(problem.Reason, problem.Message);
        if (ned.Problem is null && !IsComplete(ned) && ned is { Deployment.IsObserved: true, Waits: { NeedsHelp: true } wait })
            return Verdict.True(wait.Reason, wait.Message);
        if (ned.Problem is null && !IsComplete(ned) && ned.Deployment is { IsObserved: true, DeadlineFailure: { } failure })
        {
            return Verdict.True(Reasons.ProgressDeadlineExceeded,
                $"The rollout has made no progress in time: {failure.TrimEnd('.')}; {(ned.Waits is { } trouble ? trouble.Message : $"see what the pods wait for: {DescribePods(ned)} "
                + "(where the nodes with enclaves are full, set spec.strategy.rollingUpdate.maxSurge to 0)")}");
        }

        return Verdict.False(Reasons.NotStalled, "Nothing waits for help.");
    }

    private static bool IsComplete(NedObservation ned) =>
        ned.Problem is null
        && ned.Deployment is { IsObserved: true, CreationFailure: null } deployment
        && deployment.Updated == ned.Replicas && deployment.Total == ned.Replicas && deployment.Available == ned.Replicas;

    private static string DescribePods(NedObservation ned) =>
        $"kubectl -n {ned.Namespace} describe pods -l {NedLabels.Deployment}={ned.Name}";
}
