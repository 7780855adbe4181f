using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Reconciling;

namespace Enclaves.Reconciler.Status;

/// <summary>All that a NED's conditions depend on.</summary>
/// <param name="Namespace">Of the NED.</param>
/// <param name="Name">Of the NED.</param>
/// <param name="Generation">The generation that was reconciled.</param>
/// <param name="Replicas">Enclaves wanted.</param>
/// <param name="Paused">Whether rollouts wait.</param>
/// <param name="Deployment">Its Deployment, or null while there is none.</param>
/// <param name="Problem">Why the children are not as wanted, or null when they are.</param>
/// <param name="Pods">What most of its pods that are not ready wait for, or null when that is not known.</param>
/// <param name="Swept">What is wrong with enclaves whose pods are ready for all that, or null.</param>
internal sealed record NedObservation(
    string Namespace, string Name, long Generation, int Replicas, bool Paused, DeploymentObservation? Deployment, NedProblem? Problem, PodTrouble? Pods = null,
    PodTrouble? Swept = null)
{
    /// <summary>Why the API server refuses the pods, or null when it does not.</summary>
    /// <remarks>
    /// A Deployment goes on telling of the pods of an earlier template until those of the present one are ready. Where all of these exist,
    /// what is told is past.
    /// </remarks>
    public PodTrouble? Refused => Deployment is { IsObserved: true, CreationFailure: { } failure } deployment && deployment.Updated < Replicas
        ? Refusal.OfPods(Namespace, Name, failure)
        : null;

    /// <summary>What the enclaves that are not ready wait for, or null when that is not known: pods that cannot be made at all come first.</summary>
    public PodTrouble? Waits => Refused ?? Pods;
}

/// <summary>What a Deployment says of its pods.</summary>
internal sealed record DeploymentObservation
{
    /// <summary>Whether the Deployment's controller has seen its current spec; before, its numbers are about an earlier one.</summary>
    public required bool IsObserved { get; init; }

    /// <summary>Pods that exist.</summary>
    public required int Total { get; init; }

    /// <summary>Pods of the current template.</summary>
    public required int Updated { get; init; }

    /// <summary>Pods that are ready.</summary>
    public required int Ready { get; init; }

    /// <summary>Pods that have been ready for minReadySeconds.</summary>
    public required int Available { get; init; }

    /// <summary>Why pods could not be created, or null.</summary>
    public string? CreationFailure { get; init; }

    /// <summary>Why the rollout does not get on, or null.</summary>
    public string? DeadlineFailure { get; init; }

    /// <summary>Reads a live Deployment.</summary>
    public static DeploymentObservation Of(LiveObject live) => new()
    {
        IsObserved = live.CountAt("status", "observedGeneration") >= live.Generation,
        Total = live.CountAt("status", "replicas"),
        Updated = live.CountAt("status", "updatedReplicas"),
        Ready = live.CountAt("status", "readyReplicas"),
        Available = live.CountAt("status", "availableReplicas"),
        CreationFailure = Message(live, "ReplicaFailure", "True", null),
        DeadlineFailure = Message(live, "Progressing", "False", "ProgressDeadlineExceeded"),
    };

    private static string? Message(LiveObject live, string type, string status, string? reason) =>
        live.Condition(type) is { } condition && condition.Status == status && (reason is null || condition.Reason == reason)
            ? condition.Message ?? "no message"
            : null;
}
