using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>Puts a row together of a pod and of what its EnclaveHost says, which is quoted and never believed. Pure.</summary>
internal static class EnclaveRowReader
{
    private const int WordLength = 128;

    /// <summary>The row.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="digest">Digest of the manifest that the NED has now.</param>
    /// <param name="report">What EnclaveHost says; null where it cannot be asked.</param>
    public static EnclaveRow Read(LiveObject pod, string? digest, EnclaveReport? report)
    {
        var status = report?.Status;
        return new EnclaveRow
        {
            Pod = pod.Key.Name,
            Node = pod.TextAt("spec", "nodeName"),
            Phase = pod.TextAt("status", "phase") ?? "Unknown",
            Ready = pod.Condition("Ready") is { Status: "True" },
            CreatedAt = JsonText.Time(pod.TextAt("metadata", "creationTimestamp")),
            HostRestarts = HostContainer.Of(pod)?.RestartCount ?? 0,
            UpToDate = digest is not null && pod.TextAt("metadata", "annotations", NedAnnotations.ManifestDigest) == digest,
            State = Word(status?.State),
            Since = status?.Since,
            Driver = Word(status?.Driver),
            Confidential = status?.Confidential,
            EnclaveId = Word(status?.Enclave?.Id),
            Cid = status?.Enclave?.Cid,
            CpuCount = status?.Enclave?.CpuCount,
            MemoryMib = status?.Enclave?.MemoryMib,
            Boots = status?.Boots,
            ManifestDigest = Word(status?.ManifestDigest),
            Measurements = status?.Measurements is { } said
                ? new EnclaveRegisters(Word(said.Pcr0), Word(said.Pcr1), Word(said.Pcr2), Word(said.Pcr8), Word(said.Pcr16), said.Simulated)
                : null,
            Health = status?.Health is { } health ? new EnclaveCheck(health.At, health.Healthy, Word(health.Reason), Sentence(health.Message)) : null,
            Containers = [.. (status?.Containers ?? []).OfType<PluginStatus>().Take(EnclaveStatus.Most).Select(Container)],
            AskedAt = report?.At,
            NoAnswer = report?.Failure,
        };
    }

    private static EnclaveContainer Container(PluginStatus plugin) => new()
    {
        Name = Word(plugin.Name) ?? "",
        Role = Word(plugin.Role),
        State = Word(plugin.State),
        Reason = Word(plugin.Reason),
        Message = Sentence(plugin.Message),
        Ready = plugin.Ready,
        Restarts = plugin.Restarts,
        Image = Sentence(plugin.Image),
        ImageDigest = Sentence(plugin.ImageDigest),
        StartedAt = plugin.StartedAt,
        LastEnd = plugin.LastTermination is { } end ? new ContainerEnd(end.ExitCode, Word(end.Reason), Sentence(end.Message)) : null,
    };

    private static string? Word(string? said) => said is null ? null : Quote.Of(said, WordLength);

    private static string? Sentence(string? said) => said is null ? null : Quote.Of(said);
}
