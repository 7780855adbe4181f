using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers.Cri.V1;

namespace Enclaves.Orchestrator.Containers.Cri;

/// <summary>Limits and privileges of a container in the CRI's words. Pure.</summary>
internal static class Confinement
{
    private const string All = "ALL";

    // A kubelet's (Kubernetes, pkg/kubelet/cm/helpers_linux.go: QuotaPeriod, MinQuotaPeriod), in microseconds.
    private const long QuotaPeriod = 100_000;
    private const long LeastQuota = 1_000;

    // Where memory runs out for all, a container ends before containerd does.
    private const long OomScore = 500;

    // The kernel's knobs that containers must not see or turn, as every container engine masks them by default.
    private static readonly string[] MaskedPaths =
    [
        "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
        "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    ];

    private static readonly string[] ReadonlyPaths =
        ["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    /// <summary>The container runtime's own seccomp profile.</summary>
    public static SecurityProfile RuntimeDefault => new() { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault };

    /// <summary>The control group's limits.</summary>
    public static LinuxContainerResources Resources(ManifestResources? limits)
    {
        var resources = new LinuxContainerResources { OomScoreAdj = OomScore };
        if (limits?.MemoryBytes is { } bytes)
            resources.MemoryLimitInBytes = bytes;
        if (limits?.CpuMillis is { } millis)
        {
            resources.CpuPeriod = QuotaPeriod;
            resources.CpuQuota = Math.Max(LeastQuota, millis * QuotaPeriod / 1000);
        }

        return resources;
    }

    /// <summary>User, capabilities and what the kernel shows.</summary>
    /// <param name="given">What the manifest says.</param>
    /// <param name="imageUser">The image's user; of use only where a group is given without a user, which the CRI does not take.</param>
    /// <param name="namespaces">What the container shares with the others.</param>
    public static LinuxContainerSecurityContext Security(ManifestSecurity? given, ImageUser? imageUser, NamespaceOption namespaces)
    {
        var security = new LinuxContainerSecurityContext
        {
            Capabilities = Capabilities(given),
            NamespaceOptions = namespaces,
            ReadonlyRootfs = given?.ReadOnlyRootFilesystem ?? false,
            NoNewPrivs = true,
            Seccomp = RuntimeDefault,
        };
        if (given?.RunAsUser is { } user)
            security.RunAsUser = new Int64Value { Value = user };
        else if (given?.RunAsGroup is not null && imageUser?.Name is { Length: > 0 } name)
            security.RunAsUsername = name;
        else if (given?.RunAsGroup is not null)
            security.RunAsUser = new Int64Value { Value = imageUser?.Id ?? 0 };
        if (given?.RunAsGroup is { } group)
            security.RunAsGroup = new Int64Value { Value = group };
        security.MaskedPaths.Add(MaskedPaths);
        security.ReadonlyPaths.Add(ReadonlyPaths);
        return security;
    }

    // containerd applies ALL of either list first and then the names: what is not asked for is dropped.
    private static Capability Capabilities(ManifestSecurity? given)
    {
        var (add, drop) = (given?.AddCapabilities ?? [], given?.DropCapabilities ?? []);
        var capabilities = new Capability { AddCapabilities = { add }, DropCapabilities = { drop } };
        if (!add.Contains(All) && !drop.Contains(All))
            capabilities.DropCapabilities.Add(All);
        return capabilities;
    }
}

/// <summary>The user that an image names: an id, or a name of its own table of users.</summary>
internal sealed record ImageUser(long? Id, string Name);
