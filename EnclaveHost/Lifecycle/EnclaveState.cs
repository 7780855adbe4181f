namespace Enclaves.EnclaveHost.Lifecycle;

/// <summary>States of the enclave as its host sees them; the arrows are in <see cref="EnclaveStateMachine"/>.</summary>
internal enum EnclaveState
{
    /// <summary>There is no enclave: before the first boot, and while waiting for the next one.</summary>
    Starting,

    /// <summary>The enclave is powered on; its Orchestrator has not answered yet.</summary>
    Booting,

    /// <summary>The Orchestrator has answered.</summary>
    Booted,

    /// <summary>The manifest is sealed inside; containers are being started.</summary>
    ManifestSynced,

    /// <summary>The Orchestrator says that all is well. The only state with traffic.</summary>
    Running,

    /// <summary>It was running and is not, or does not answer.</summary>
    Unhealthy,

    /// <summary>Ordered to stop; open connections are drained.</summary>
    Stopping,

    /// <summary>Stopped in order. Final.</summary>
    Stopped,

    /// <summary>Given up, with a reason. Final.</summary>
    Failed,
}

/// <summary>A change of state.</summary>
/// <param name="From">State before.</param>
/// <param name="To">State after.</param>
/// <param name="At">When it changed.</param>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Message">One sentence; empty where the reason says all.</param>
internal sealed record Transition(EnclaveState From, EnclaveState To, DateTimeOffset At, string Reason, string Message);

/// <summary>When the phases of the present boot began; null where it has not come to that.</summary>
internal sealed record PhaseTimes(
    DateTimeOffset? BootStarted, DateTimeOffset? Booted, DateTimeOffset? ManifestSynced, DateTimeOffset? Running);
