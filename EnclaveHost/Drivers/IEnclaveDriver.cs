using Enclaves.Channel.Transport;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>A way to run an enclave. One enclave at a time.</summary>
internal interface IEnclaveDriver
{
    /// <summary>The option's value that chooses it.</summary>
    string Name { get; }

    /// <summary>Whether the enclave's memory is out of the host's reach.</summary>
    bool IsConfidential { get; }

    /// <summary>The way to the enclave; the same for every boot.</summary>
    IHostTransport Transport { get; }

    /// <summary>The enclave's context identifier, from which host-side ports are derived.</summary>
    uint Cid { get; }

    /// <summary>Powers an enclave on. It need not answer yet when this returns.</summary>
    /// <exception cref="EnclaveStartException">It cannot be started; says why and what to do.</exception>
    Task<IRunningEnclave> StartAsync(CancellationToken cancellation);
}

/// <summary>An enclave that was powered on. Disposal ends it at once and leaves nothing behind.</summary>
internal interface IRunningEnclave : IAsyncDisposable
{
    /// <summary>What is known of it.</summary>
    EnclaveDescription Description { get; }

    /// <summary>Completes, and never fails, when the enclave has ended by itself or was ended: one sentence with what it left on its console.</summary>
    Task<string> Exited { get; }

    /// <summary>Asks it to end, waits for at most the grace, then ends it.</summary>
    Task StopAsync(TimeSpan grace);
}

/// <summary>What a driver knows of its enclave.</summary>
/// <param name="Measurements">Null where nothing has measured the image.</param>
internal sealed record EnclaveDescription(
    string Id, uint Cid, int CpuCount, int MemoryMib, IReadOnlyList<int> ProcessIds, string Note, ImageMeasurements? Measurements = null);

/// <summary>Registers 0, 1 and 2 of an enclave image, and 8 of a signed one: SHA-384 in lower-case hexadecimal.</summary>
internal sealed record ImageMeasurements(string Pcr0, string Pcr1, string Pcr2, string? Pcr8 = null);

/// <summary>An enclave could not be started.</summary>
internal sealed class EnclaveStartException(string message, Exception? inner = null) : Exception(message, inner);
