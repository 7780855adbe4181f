using System.Diagnostics;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers;

namespace Enclaves.Orchestrator.Health;

/// <summary>
/// The probes of one run of a container.
/// <code>
/// start -> startup probe --success--> liveness probe --failure--> kill
///            | failure                readiness probe, or a look at the exposed ports: ready, not ready, ready ...
///            +-> kill
/// </code>
/// </summary>
/// <param name="container">What runs.</param>
/// <param name="id">The run's id.</param>
/// <param name="runtime">Runs commands in it.</param>
/// <param name="ready">Is told what the readiness is; and why not, as a sentence's beginning, whenever that changes.</param>
/// <param name="time">The clock.</param>
internal sealed class ContainerProbes(ManifestContainer container, string id, IContainerRuntime runtime, Action<bool, string> ready, TimeProvider time)
{
    /// <summary>The reason of a container that its startup probe ended.</summary>
    public const string StartupFailed = "StartupProbeFailed";

    /// <summary>The reason of a container that its liveness probe ended.</summary>
    public const string LivenessFailed = "LivenessProbeFailed";

    /// <summary>Whether a container is ready without being asked.</summary>
    public static bool IsReadyAtOnce(ManifestContainer container) =>
        container.StartupProbe is null && container.ReadinessProbe is null && ExposedPorts(container).Length == 0;

    /// <summary>Probes until one says that the container is to be killed, and returns why. Else it ends with the token's exception.</summary>
    public async Task<Kill> RunAsync(CancellationToken cancellation)
    {
        if (container.StartupProbe is { } startup && await StartupAsync(startup, cancellation) is { } failure)
            return failure;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<Kill>[] loops = container.LivenessProbe is { } liveness
            ? [LivenessAsync(liveness, ending.Token), ReadinessAsync(ending.Token)]
            : [ReadinessAsync(ending.Token)];
        var first = await Task.WhenAny(loops);
        await ending.CancelAsync();
        await ((Task)Task.WhenAll(loops)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await first;
    }

    private async Task<Kill?> StartupAsync(ManifestProbe probe, CancellationToken cancellation)
    {
        await foreach (var (result, counts) in Loop(probe).LooksAsync(cancellation))
        {
            if (counts && result.Outcome == ProbeOutcome.Success)
                break;
            if (counts)
                return new Kill(StartupFailed, $"startup probe failed: {result.Message}", IsFault: true);
            ready(false, $"startup probe has not succeeded yet: {result.Message}");
        }

        return null;
    }

    private async Task<Kill> LivenessAsync(ManifestProbe probe, CancellationToken cancellation)
    {
        await foreach (var (result, counts) in Loop(probe).LooksAsync(cancellation))
        {
            if (counts && result.Outcome == ProbeOutcome.Failure)
                return new Kill(LivenessFailed, $"liveness probe failed: {result.Message}", IsFault: true);
        }

        throw new UnreachableException();
    }

    private async Task<Kill> ReadinessAsync(CancellationToken cancellation)
    {
        var ports = ExposedPorts(container);
        if (container.ReadinessProbe is null && ports.Length == 0)
        {
            ready(true, "");
            await Task.Delay(Timeout.Infinite, cancellation);
        }

        var loop = container.ReadinessProbe is { } probe ? Loop(probe) : new ProbeLoop(ProbePlan.Ports, new TcpAsk(ports), time);
        var what = container.ReadinessProbe is null ? "it does not accept connections on its exposed ports" : "readiness probe failed";
        var isReady = false;
        await foreach (var (result, counts) in loop.LooksAsync(cancellation))
        {
            if (counts)
                isReady = result.Outcome == ProbeOutcome.Success;
            // One failure of a container that is ready is not news yet; one that is not ready tells why at once.
            ready(isReady, isReady ? "" : result.Message.Length > 0 ? $"{what}: {result.Message}" : "readiness probe has not succeeded often enough yet");
        }

        throw new UnreachableException();
    }

    private ProbeLoop Loop(ManifestProbe probe) => new(ProbePlan.Of(probe), Ask(probe), time);

    private IProbeAsk Ask(ManifestProbe probe) => probe switch
    {
        { Exec: { } command } => new ExecAsk(runtime, id, command),
        { HttpGet: { } http } => new HttpAsk(http),
        _ => new TcpAsk([probe.TcpPort!.Value]),
    };

    private static int[] ExposedPorts(ManifestContainer container) =>
        [.. container.Ports.Where(port => port.IngressPort is not null).Select(port => port.ContainerPort)];
}
