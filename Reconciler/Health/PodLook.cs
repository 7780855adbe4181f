using System.Net;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Health;

/// <summary>Where to learn what keeps a pod from being ready, when its own status does not tell.</summary>
internal enum PodLookKind
{
    /// <summary>Nowhere: it is ready, or its status tells, or it has no node.</summary>
    None,

    /// <summary>Its node is making its containers: the kubelet tells in events.</summary>
    Events,

    /// <summary>EnclaveHost runs: it tells.</summary>
    Status,
}

/// <summary>Looks once at a pod.</summary>
internal sealed class PodLook(ApiServer server, EnclaveStatuses statuses, TimeProvider time)
{
    /// <summary>Where to look at a pod.</summary>
    public static PodLookKind KindFor(LiveObject pod)
    {
        if (pod.IsBeingDeleted || pod.Condition("Ready") is { Status: "True" } || pod.Condition("PodScheduled") is not { Status: "True" }
            || pod.TextAt("status", "phase") is "Failed" or "Succeeded")
        {
            return PodLookKind.None;
        }

        return HostContainer.Of(pod) switch
        {
            null or { IsBeingCreated: true } => PodLookKind.Events,
            { IsRunning: true } => Address(pod) is null ? PodLookKind.None : PodLookKind.Status,
            _ => PodLookKind.None,
        };
    }

    /// <summary>Looks.</summary>
    /// <returns>The cause, or null when there is none that is known.</returns>
    /// <exception cref="EnclaveStatusException">EnclaveHost gave no usable answer.</exception>
    public async Task<PodTrouble?> AtAsync(LiveObject pod, PodLookKind kind, CancellationToken cancellation) => kind switch
    {
        PodLookKind.Events => KubeletEvent.Trouble(pod, await KubeletEvent.ListAsync(server, pod, cancellation)),
        PodLookKind.Status when await statuses.AskAsync(pod, cancellation) is { } report =>
            EnclaveTrouble.Of(pod.Key, report.Status ?? throw new EnclaveStatusException(report.Failure ?? "it said nothing"), time.GetUtcNow()),
        _ => null,
    };

    /// <summary>Where the EnclaveHost of a pod can be asked, or null while there is no such place.</summary>
    public static IPAddress? Address(LiveObject pod) =>
        IPAddress.TryParse(pod.TextAt("status", "podIP"), out var address) && EnclaveStatusReader.IsPodAddress(address) ? address : null;
}
