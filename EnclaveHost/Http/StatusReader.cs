using Enclaves.Channel.Relay;
using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Drivers;
using Enclaves.EnclaveHost.Lifecycle;
using Enclaves.EnclaveHost.Log;
using Enclaves.EnclaveHost.Otlp;
using Enclaves.EnclaveHost.Session;

namespace Enclaves.EnclaveHost.Http;

/// <summary>Puts the status together from what the parts know at this moment.</summary>
internal sealed class StatusReader(
    LoadedManifest manifest, IEnclaveDriver driver, EnclaveStateMachine state, EnclaveView view, EnclaveLifecycle lifecycle,
    LogForwarder logs, StdoutLines lines, OtlpExporter? otlp, string otlpEndpoint, TimeProvider time)
{
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    public StatusDocument Read()
    {
        var last = state.Last;
        var phases = state.Phases;
        var status = view.Status;
        return new StatusDocument
        {
            Name = manifest.Content.Name,
            Namespace = manifest.Content.Namespace,
            State = last.To.ToString(),
            Since = last.At,
            Reason = last.Reason,
            Message = last.Message,
            Driver = driver.Name,
            Confidential = driver.IsConfidential,
            ManifestDigest = manifest.DigestText,
            Boots = state.Boots,
            StartedAt = _startedAt,
            Phases = new PhasesDocument(phases.BootStarted, phases.Booted, phases.ManifestSynced, phases.Running),
            Transitions = [.. state.History().Select(m => new TransitionDocument(m.At, m.From.ToString(), m.To.ToString(), m.Reason, m.Message))],
            Enclave = view.Description is { } d ? new EnclaveDocument(d.Id, d.Cid, d.CpuCount, d.MemoryMib, d.Note) : null,
            KernelRelease = view.Hello?.KernelRelease,
            BootId = view.Hello?.BootId,
            OrchestratorVersion = view.Hello?.OrchestratorVersion,
            Measurements = Measurements(),
            Health = view.Health is { } h ? new HealthDocument(h.At, h.Healthy, h.Reason, h.Message) : null,
            Containers = [.. (status?.Containers ?? []).Select(Describe)],
            Relays = [.. Relays().Select(r => Describe(r.Name, r.Counters))],
            EnclaveRelays = [.. (status?.Relays ?? []).Select(r => new RelayDocument(
                r.Name, r.Open, (long)r.Total, (long)r.BytesIn, (long)r.BytesOut, (long)r.Refused))],
            EgressRefused = EgressRefused(),
            LogDrops = Drops(),
            Otlp = Otlp(),
        };
    }

    /// <summary>The collector of the log; null where there is none.</summary>
    public OtlpDocument? Otlp() => otlp is null ? null : new OtlpDocument(otlpEndpoint, otlp.Sent, otlp.Dropped, otlp.Problem);

    /// <summary>The relays of the pod; none before they are open.</summary>
    public IEnumerable<RelayServer> Relays() =>
        lifecycle.Relays is { } relays ? [.. relays.Ingress.Servers, relays.Egress.Server] : [];

    /// <summary>The manifest's containers with what the enclave says of them; none before it has said anything, and none that it makes up.</summary>
    public IEnumerable<(string Name, ContainerStatus Status)> Containers()
    {
        var said = view.Status?.Containers ?? [];
        return manifest.Content.Containers
            .Select(container => (container.Name, Status: said.FirstOrDefault(status => status.Name == container.Name)))
            .Where(container => container.Status is not null).Select(container => (container.Name, container.Status!));
    }

    /// <summary>Refused egress connections by container.</summary>
    public IReadOnlyDictionary<string, long> EgressRefused() => lifecycle.Relays?.Egress.Refused ?? new Dictionary<string, long>();

    /// <summary>Lines lost.</summary>
    public LogDropsDocument Drops() => new(logs.DroppedInside, lines.Dropped);

    private MeasurementsDocument? Measurements()
    {
        var (image, seal) = (view.Description?.Measurements, view.Manifest);
        return image is null && seal is null
            ? null
            : new MeasurementsDocument(
                image?.Pcr0, image?.Pcr1, image?.Pcr2, image?.Pcr8, seal is null ? null : Convert.ToHexStringLower(seal.Pcr16.Span),
                seal?.Simulated ?? !driver.IsConfidential);
    }

    private static RelayDocument Describe(string name, RelayCounters c) => new(name, c.Open, c.Total, c.BytesIn, c.BytesOut, c.Refused);

    private static ContainerDocument Describe(ContainerStatus container) => new()
    {
        Name = container.Name,
        Role = container.Role,
        State = container.State,
        Reason = container.Reason,
        Message = container.Message,
        Restarts = container.Restarts,
        Ready = container.Ready,
        Image = container.Image,
        ImageDigest = container.ImageDigest,
        StartedAt = Time(container.StartedUnixMilliseconds),
        LastTermination = container.LastTermination is { } l
            ? new LastTerminationDocument(
                l.ExitCode, l.Signal > 0 ? l.Signal : null, l.Reason, l.Message.Length > 0 ? l.Message : null, Time(l.StartedUnixMilliseconds), Time(l.FinishedUnixMilliseconds))
            : null,
    };

    // The enclave's word: out of range must not break the document.
    private static DateTimeOffset? Time(long unixMilliseconds) =>
        unixMilliseconds is > 0 and < 253_402_300_799_999 ? DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds) : null;
}
