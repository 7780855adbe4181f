namespace Enclaves.Orchestrator;

/// <summary>Why the enclave ends, and the exit code that says whether it was meant to.</summary>
internal sealed record ShutdownReason(string Text, int ExitCode);

/// <summary>The one place where the end of the enclave is asked for.</summary>
internal sealed class Shutdown
{
    private readonly TaskCompletionSource<ShutdownReason> _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the reason.</summary>
    public Task<ShutdownReason> Requested => _requested.Task;

    /// <summary>Asks for the end; the first reason stays.</summary>
    public void Request(string reason) => _requested.TrySetResult(new ShutdownReason(reason, ExitCode: 0));

    /// <summary>Ends the enclave because a part that it cannot do without has failed for good.</summary>
    public void Fail(string reason) => _requested.TrySetResult(new ShutdownReason(reason, ExitCode: 1));
}
