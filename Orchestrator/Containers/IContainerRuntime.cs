using Enclaves.Channel.Manifest;

namespace Enclaves.Orchestrator.Containers;

/// <summary>User and password for a registry. The password appears nowhere but in the pull.</summary>
internal sealed record RegistryLogin(string Username, string Password)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Username} (password hidden)";
}

/// <summary>How a container ended.</summary>
/// <param name="ExitCode">0 to 255; 128 + signal number where a signal ended it.</param>
/// <param name="Reason">CamelCase: Completed, Error, OOMKilled and the like.</param>
/// <param name="Started">When its process began.</param>
/// <param name="Finished">When it ended.</param>
internal sealed record ContainerExit(int ExitCode, string Reason, DateTimeOffset Started, DateTimeOffset Finished)
{
    private const int SignalBase = 128;
    private const int LastSignal = 64;

    /// <summary>Why the Orchestrator ended it; null where it ended by itself or with the enclave.</summary>
    public Kill? Kill { get; init; }

    /// <summary>Number of the signal that ended it, as the exit code tells; 0 for none.</summary>
    public int Signal => ExitCode is > SignalBase and <= SignalBase + LastSignal ? ExitCode - SignalBase : 0;

    /// <summary>Whether its result is a failure: what a probe found broken may well end with 0 when it is told to end.</summary>
    public bool IsFailure => ExitCode != 0 || Kill is { IsFault: true };
}

/// <summary>Why the Orchestrator ends a running container: a CamelCase reason, a sentence, and whether the container is at fault; if not, it is started again at once.</summary>
internal sealed record Kill(string Reason, string Message, bool IsFault);

/// <summary>What a command in a container came to: its exit code, and the beginning of what it wrote.</summary>
internal sealed record ExecResult(int ExitCode, string Output);

/// <summary>A step of a container's start that failed, with the reason that the status shows.</summary>
internal sealed class ContainerRuntimeException(string reason, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>CamelCase, as a kubelet would say it.</summary>
    public string Reason { get; } = reason;
}

/// <summary>
/// Runs the containers of one enclave. Every call is bounded in time by the implementation. Container output goes to the log buffer that
/// the implementation was given.
/// </summary>
internal interface IContainerRuntime : IAsyncDisposable
{
    /// <summary>Begins with what does not depend on the manifest, so that it is done when the manifest comes. Returns at once.</summary>
    void Begin();

    /// <summary>Waits until containers can be run; tries again by itself until it can.</summary>
    Task PrepareAsync(EnclaveManifest manifest, CancellationToken cancellation);

    /// <summary>Has the image on the machine and returns its digest, empty where the runtime has no images.</summary>
    /// <exception cref="ContainerRuntimeException">ErrImagePull, with the registry's words.</exception>
    Task<string> PullAsync(string image, RegistryLogin? login, CancellationToken cancellation);

    /// <summary>Starts a container and returns its id.</summary>
    /// <param name="start">What to run.</param>
    /// <param name="attempt">Number of the start, from 0; unique for the container.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ContainerRuntimeException">CreateContainerError or RunContainerError.</exception>
    Task<string> StartAsync(ContainerStart start, uint attempt, CancellationToken cancellation);

    /// <summary>Waits until the container has ended.</summary>
    Task<ContainerExit> WaitAsync(string id, CancellationToken cancellation);

    /// <summary>Runs a command in a running container and kills it at the end of its time. Of its output the first 10 KiB are kept, as a kubelet does.</summary>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    /// <exception cref="ContainerRuntimeException">ExecError: it could not be run at all, which says nothing about the container.</exception>
    Task<ExecResult> ExecAsync(string id, IReadOnlyList<string> command, TimeSpan timeout, CancellationToken cancellation);

    /// <summary>
    /// Asks the container to end, kills it after the grace period, and tells how it ended. No error if it has ended already.
    /// </summary>
    /// <exception cref="ContainerRuntimeException">StopContainerError: the runtime could not end it; it ends with the enclave.</exception>
    Task<ContainerExit> StopAsync(string id, TimeSpan grace, CancellationToken cancellation);

    /// <summary>Forgets an ended container and frees what it holds.</summary>
    Task RemoveAsync(string id, CancellationToken cancellation);
}
