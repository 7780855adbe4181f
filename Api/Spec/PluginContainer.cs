using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>What user plugins and privileged plugins have in common: how their container runs.</summary>
public abstract record PluginContainer
{
    /// <summary>Program to run instead of the image's entrypoint, and its first arguments. No shell is involved.</summary>
    [JsonPropertyName("command")]
    [MaxLength(1024)]
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Arguments instead of the image's own.</summary>
    [JsonPropertyName("args")]
    [MaxLength(1024)]
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Environment variables of the container. Plain values and those from ConfigMaps are part of the measured manifest, those from Secrets are not.</summary>
    [JsonPropertyName("env")]
    [ListMapKeys("name")]
    [MaxLength(1024)]
    public IReadOnlyList<EnvVar>? Env { get; init; }

    /// <summary>TCP ports that the container listens on.</summary>
    [JsonPropertyName("ports")]
    [ListMapKeys("containerPort")]
    [MaxLength(64)]
    public IReadOnlyList<PluginPort>? Ports { get; init; }

    /// <summary>Destinations that the container may connect to, by their own names: inside the enclave each name leads to a relay. Nothing else is reachable.</summary>
    [JsonPropertyName("outboundConnections")]
    [ListMapKeys("fqdn", "port")]
    [MaxLength(256)]
    public IReadOnlyList<OutboundConnection>? OutboundConnections { get; init; }

    /// <summary>What the container may use at most of the enclave's processors and memory.</summary>
    [JsonPropertyName("resources")]
    public PluginResources? Resources { get; init; }

    /// <summary>User and privileges of the container inside the enclave.</summary>
    [JsonPropertyName("securityContext")]
    public PluginSecurityContext? SecurityContext { get; init; }
}

/// <summary>Limits of a container.</summary>
public sealed record PluginResources
{
    /// <summary>Most that the container may use.</summary>
    [JsonPropertyName("limits")]
    public PluginLimits? Limits { get; init; }
}

/// <summary>Amounts of processor time and memory.</summary>
public sealed record PluginLimits
{
    /// <summary>Processor time, in processors.</summary>
    /// <remarks>An amount above 0, such as 500m, 0.5 or 2. Over all plugins no more than spec.enclave.cpuCount.</remarks>
    [JsonPropertyName("cpu")]
    [JsonConverter(typeof(QuantityTextConverter))]
    public string? Cpu { get; init; }

    /// <summary>Memory, in bytes.</summary>
    /// <remarks>An amount above 0, such as 256Mi. Over all plugins no more than spec.enclave.memory.</remarks>
    [JsonPropertyName("memory")]
    [JsonConverter(typeof(QuantityTextConverter))]
    public string? Memory { get; init; }
}

/// <summary>User and privileges of a container.</summary>
public sealed record PluginSecurityContext
{
    /// <summary>User id that the container runs as; absent means the image's own.</summary>
    [JsonPropertyName("runAsUser")]
    [Range(0, int.MaxValue)]
    public long? RunAsUser { get; init; }

    /// <summary>Group id that the container runs as; absent means the image's own.</summary>
    [JsonPropertyName("runAsGroup")]
    [Range(0, int.MaxValue)]
    public long? RunAsGroup { get; init; }

    /// <summary>Whether the container cannot write to its root file system.</summary>
    [JsonPropertyName("readOnlyRootFilesystem")]
    public bool? ReadOnlyRootFilesystem { get; init; }

    /// <summary>Capabilities to add to, or to drop from, those that a container has by default.</summary>
    [JsonPropertyName("capabilities")]
    public PluginCapabilities? Capabilities { get; init; }
}

/// <summary>Capabilities as in a pod.</summary>
public sealed record PluginCapabilities
{
    /// <summary>Capabilities to add, such as NET_BIND_SERVICE.</summary>
    /// <remarks>Upper-case names without CAP_ before them, or ALL.</remarks>
    [JsonPropertyName("add")]
    [ListSet]
    [MaxLength(64)]
    [ItemLength(1, 63)]
    public IReadOnlyList<string>? Add { get; init; }

    /// <summary>Capabilities to drop, such as ALL.</summary>
    /// <remarks>Upper-case names without CAP_ before them, or ALL.</remarks>
    [JsonPropertyName("drop")]
    [ListSet]
    [MaxLength(64)]
    [ItemLength(1, 63)]
    public IReadOnlyList<string>? Drop { get; init; }
}

/// <summary>A TCP port that a container listens on.</summary>
public sealed record PluginPort
{
    /// <summary>Name of the Service's port; absent means port-N for hostPort N.</summary>
    /// <remarks>A DNS label, unique over all plugins where there is a hostPort.</remarks>
    [JsonPropertyName("name")]
    [StringLength(63, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Port that the container listens on inside the enclave.</summary>
    /// <remarks>Unique over all plugins, which share one network; and not the port of an outbound connection or of a registry, which is taken there.</remarks>
    [JsonPropertyName("containerPort")]
    [Required]
    [Range(1, 65535)]
    public int ContainerPort { get; init; }

    /// <summary>Port of the Service that leads to the container. Absent means that the port cannot be reached from outside the enclave.</summary>
    /// <remarks>Unique over all plugins.</remarks>
    [JsonPropertyName("hostPort")]
    [Range(1, 65535)]
    public int? HostPort { get; init; }
}
