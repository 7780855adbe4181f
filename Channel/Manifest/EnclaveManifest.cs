using System.Text.Json.Serialization;

namespace Enclaves.Channel.Manifest;

/// <summary>
/// What an enclave is to run: derived from a NitroEnclaveDeployment and the ConfigMaps it refers to and from nothing else,
/// so that a client can compute its digest from the YAML it was shown. Names, lists and values are final: every default is resolved here.
/// </summary>
public sealed record EnclaveManifest
{
    /// <summary>The only schema this version reads and writes.</summary>
    public const string CurrentSchema = "enclaves/v1";

    /// <summary>Always <see cref="CurrentSchema"/>.</summary>
    public required string Schema { get; init; }

    /// <summary>Name of the NitroEnclaveDeployment.</summary>
    public required string Name { get; init; }

    /// <summary>Namespace of the NitroEnclaveDeployment.</summary>
    public required string Namespace { get; init; }

    /// <summary>Containers in start order, at most <see cref="ManifestLimits.MaxContainers"/>.</summary>
    public required IReadOnlyList<ManifestContainer> Containers { get; init; }

    /// <summary>Host names, or host:port pairs, that image pulls may reach: the images' own registries and those of the spec.</summary>
    public required IReadOnlyList<string> Registries { get; init; }

    /// <summary>Folders that containers mount; null where there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ManifestVolume>? Volumes { get; init; }
}

/// <summary>One container of the manifest.</summary>
public sealed record ManifestContainer
{
    /// <summary>DNS label, unique in the manifest.</summary>
    public required string Name { get; init; }

    /// <summary>One of <see cref="ContainerRole"/>.</summary>
    public required string Role { get; init; }

    /// <summary>Image reference as the user wrote it.</summary>
    public required string Image { get; init; }

    /// <summary>Replaces the image's entrypoint; empty means the image's own.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Replaces the image's arguments; empty means the image's own, unless a command is given.</summary>
    public required IReadOnlyList<string> Args { get; init; }

    /// <summary>Environment in order; later entries win.</summary>
    public required IReadOnlyList<ManifestEnv> Env { get; init; }

    /// <summary>Ports that the container serves, TCP.</summary>
    public required IReadOnlyList<ManifestPort> Ports { get; init; }

    /// <summary>Destinations that the container may connect to.</summary>
    public required IReadOnlyList<ManifestOutbound> Outbound { get; init; }

    /// <summary>Always, OnFailure or Never, with a kubelet's meaning.</summary>
    public required string RestartPolicy { get; init; }

    /// <summary>Volumes that the container sees; null where it sees none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ManifestMount>? Mounts { get; init; }

    /// <summary>Its limits; null where it has none but the enclave's own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestResources? Resources { get; init; }

    /// <summary>Its user and privileges; null for those of every container.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestSecurity? Security { get; init; }

    /// <summary>Of the auth role and no other: the port to which all inbound traffic of the other containers goes first.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ProxyPort { get; init; }

    /// <summary>Of the logging role and no other: the containers whose logs it is given; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? LogsAccess { get; init; }

    /// <summary>Until it has succeeded once there are no other probes; its failure restarts the container.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestProbe? StartupProbe { get; init; }

    /// <summary>Its failure restarts the container.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestProbe? LivenessProbe { get; init; }

    /// <summary>While it fails the enclave gets no traffic.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestProbe? ReadinessProbe { get; init; }
}

/// <summary>An environment variable: its plain value, or the Secret it comes from.</summary>
public sealed record ManifestEnv
{
    /// <summary>Name of the variable.</summary>
    public required string Name { get; init; }

    /// <summary>Its value, taken literally; null where it comes from a Secret.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Value { get; init; }

    /// <summary>Where its value comes from when the enclave runs; it is not measured. Null where the value is plain.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestSecretKey? Secret { get; init; }
}

/// <summary>A key of a Secret.</summary>
public sealed record ManifestSecretKey
{
    /// <summary>Name of the Secret.</summary>
    public required string Name { get; init; }

    /// <summary>Key in it.</summary>
    public required string Key { get; init; }

    /// <summary>Whether what refers to it goes without where it does not exist.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Optional { get; init; }
}

/// <summary>A port of a container and, where it is exposed, the port of the ingress relay that leads to it.</summary>
public sealed record ManifestPort
{
    /// <summary>Port the container listens on inside the enclave.</summary>
    public required int ContainerPort { get; init; }

    /// <summary>
    /// Port of the ingress relay, <see cref="EnclavePorts.IngressBase"/> + index, the same in the pod and on the enclave's vsock;
    /// null where the port is not exposed.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? IngressPort { get; init; }
}

/// <summary>A destination that egress lets through.</summary>
public sealed record ManifestOutbound
{
    /// <summary>Host name, or a literal IP address.</summary>
    public required string Host { get; init; }

    /// <summary>TCP port, 1-65535.</summary>
    public required int Port { get; init; }

    /// <summary>One of <see cref="Egress.OutboundType"/>; null for a plain relay.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Type { get; init; }
}

/// <summary>What a container is for; containers start in this order.</summary>
public static class ContainerRole
{
    /// <summary>Part of the platform.</summary>
    public const string Base = "base";

    /// <summary>Inbound traffic passes through it first.</summary>
    public const string Auth = "auth";

    /// <summary>Is given the logs of other containers.</summary>
    public const string Logging = "logging";

    /// <summary>Collects metrics.</summary>
    public const string Telemetry = "telemetry";

    /// <summary>The user's own.</summary>
    public const string User = "user";
}

/// <summary>Bounds that both sides of the boundary enforce.</summary>
public static class ManifestLimits
{
    /// <summary>Bytes of a canonical manifest.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Containers of a manifest.</summary>
    public const int MaxContainers = 64;

    /// <summary>Volumes of a manifest.</summary>
    public const int MaxVolumes = 64;

    /// <summary>Files of a manifest, over all volumes.</summary>
    public const int MaxFiles = 256;

    /// <summary>Bytes of the Secret values of one enclave, names and keys included: as many as Kubernetes lets one Secret have.</summary>
    public const int MaxSecretBytes = 1024 * 1024;

    /// <summary>Bytes of one chunk of PutManifest.</summary>
    public const int ChunkBytes = 64 * 1024;
}
