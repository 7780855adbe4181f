using Enclaves.Channel.Manifest;

namespace Enclaves.Orchestrator.Containers;

/// <summary>User and password for a registry. The password appears nowhere but in the pull.</summary>
internal sealed record RegistryLogin(string Username, string Password)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Username} (password hidden)";
}

/// <summary>How a container ended.</summary>
internal sealed record ContainerExit(int ExitCode, string Reason, DateTimeOffset Started, DateTimeOffset Finished);

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
    /// <param name="container">What to run.</param>
    /// <param name="attempt">Number of the start, from 0; unique for the container.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ContainerRuntimeException">CreateContainerError or RunContainerError.</exception>
    Task<string> StartAsync(ManifestContainer container, uint attempt, CancellationToken cancellation);

    /// <summary>Waits until the container has ended.</summary>
    Task<ContainerExit> WaitAsync(string id, CancellationToken cancellation);

    /// <summary>
    /// Asks the container to end, kills it after the grace period, and tells how it ended. No error if it has ended already.
    /// </summary>
    /// <exception cref="ContainerRuntimeException">StopContainerError: the runtime could not end it; it ends with the enclave.</exception>
    Task<ContainerExit> StopAsync(string id, TimeSpan grace, CancellationToken cancellation);

    /// <summary>Forgets an ended container and frees what it holds.</summary>
    Task RemoveAsync(string id, CancellationToken cancellation);
}
