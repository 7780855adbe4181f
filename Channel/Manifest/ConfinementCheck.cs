namespace Enclaves.Channel.Manifest;

/// <summary>What must hold for limits and privileges of a container.</summary>
internal static class ConfinementCheck
{
    private const int MaxCapabilities = 64;
    private const int MaxCapabilityLength = 63;

    // More than any machine has, and far from where sums overflow.
    private const long MaxCpuMillis = 1_000_000_000;
    private const long MaxMemoryBytes = 1L << 50;

    /// <summary>The first problem as <c>field: problem</c>, null when there is none.</summary>
    public static string? Of(ManifestContainer container) => Of(container.Resources) ?? Of(container.Security);

    private static string? Of(ManifestResources? resources) => resources switch
    {
        null => null,
        { CpuMillis: null, MemoryBytes: null } => "resources: must have cpuMillis or memoryBytes, or be absent",
        { CpuMillis: <= 0 or > MaxCpuMillis } => $"resources.cpuMillis: must be 1 to {MaxCpuMillis}",
        { MemoryBytes: <= 0 or > MaxMemoryBytes } => $"resources.memoryBytes: must be 1 to {MaxMemoryBytes}",
        _ => null,
    };

    private static string? Of(ManifestSecurity? security) => security switch
    {
        null => null,
        _ when security == new ManifestSecurity() => "security: must say something, or be absent",
        { RunAsUser: < 0 or > int.MaxValue } => $"security.runAsUser: must be 0 to {int.MaxValue}",
        { RunAsGroup: < 0 or > int.MaxValue } => $"security.runAsGroup: must be 0 to {int.MaxValue}",
        _ => Capabilities(security.AddCapabilities, "addCapabilities") ?? Capabilities(security.DropCapabilities, "dropCapabilities"),
    };

    private static string? Capabilities(IReadOnlyList<string>? names, string field) =>
        names is not null && (names.Count is 0 or > MaxCapabilities || !names.All(IsName))
            ? $"security.{field}: must be absent, or 1 to {MaxCapabilities} names such as NET_BIND_SERVICE, or ALL"
            : null;

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= MaxCapabilityLength } && !name.StartsWith("CAP_", StringComparison.Ordinal)
        && char.IsAsciiLetterUpper(name[0]) && name.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_');
}
