using Enclaves.Channel.Session;
using Enclaves.Orchestrator.Containers;

namespace Enclaves.Orchestrator.Session;

/// <summary>What the host is told about the enclave, put together from memory.</summary>
internal sealed class StatusReport(EnclaveSupervisor supervisor, SessionFacts facts)
{
    public EnclaveStatus Status()
    {
        var state = supervisor.State;
        var status = new EnclaveStatus
        {
            Phase = state.Phase.ToString(),
            Reason = state.Reason,
            Message = state.Message,
            StartedUnixMilliseconds = facts.Started.ToUnixTimeMilliseconds(),
        };
        status.Containers.Add(supervisor.Containers.Select(container => container.ToWire()));
        status.Relays.Add(supervisor.Relays.Select(relay => new RelayStatus
        {
            Name = relay.Name,
            Open = (uint)relay.Counters.Open,
            Total = (ulong)relay.Counters.Total,
            BytesIn = (ulong)relay.Counters.BytesIn,
            BytesOut = (ulong)relay.Counters.BytesOut,
            Refused = (ulong)relay.Counters.Refused,
        }));
        return status;
    }

    public HealthReply Health() => Judge(supervisor.State, supervisor.Containers);

    /// <summary>Healthy while the enclave runs and nothing is wrong with any container. Pure.</summary>
    public static HealthReply Judge(EnclaveState state, IReadOnlyList<ContainerView> containers)
    {
        if (state.Phase is not (EnclavePhase.Starting or EnclavePhase.Running or EnclavePhase.Completed))
            return Unhealthy(state.Reason.Length > 0 ? state.Reason : state.Phase.ToString(), state.Message);
        foreach (var container in containers)
        {
            if (container.Healthy)
                continue;
            var reason = container.Reason.Length > 0 ? container.Reason : "ContainerNotReady";
            return Unhealthy(reason, $"container {container.Spec.Name}: {Problem(container)}");
        }

        return new HealthReply { Healthy = true };
    }

    private static string Problem(ContainerView container) => container switch
    {
        { Message.Length: > 0 } => container.Message,
        { Phase: ContainerPhase.Running } => "it is not ready yet",
        { Phase: ContainerPhase.Terminated, LastExit: { } exit } => $"it ended with exit code {exit.ExitCode} and is not restarted",
        _ => "it does not run yet",
    };

    private static HealthReply Unhealthy(string reason, string message) => new() { Healthy = false, Reason = reason, Message = message };
}
