using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A container that runs inside the enclave.</summary>
public sealed record UserPlugin
{
    /// <summary>Name of the container, a DNS label, unique in the NitroEnclaveDeployment.</summary>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Image of the container; pulled from inside the enclave. Give it with its digest: a tag pins nothing.</summary>
    [JsonPropertyName("image")]
    [Required]
    [StringLength(1024, MinimumLength = 1)]
    public string? Image { get; init; }

    /// <summary>Name of a Secret of type kubernetes.io/dockerconfigjson with the credentials for the image's registry.</summary>
    [JsonPropertyName("imagePullSecret")]
    [StringLength(253, MinimumLength = 1)]
    public string? ImagePullSecret { get; init; }

    /// <summary>Replaces the image's entrypoint.</summary>
    [JsonPropertyName("command")]
    [MaxLength(1024)]
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Replaces the image's arguments.</summary>
    [JsonPropertyName("args")]
    [MaxLength(1024)]
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Environment variables of the container. They are part of the measured manifest.</summary>
    [JsonPropertyName("env")]
    [ListMapKeys("name")]
    [MaxLength(1024)]
    public IReadOnlyList<EnvVar>? Env { get; init; }

    /// <summary>TCP ports that the container listens on.</summary>
    [JsonPropertyName("ports")]
    [ListMapKeys("containerPort")]
    [MaxLength(64)]
    public IReadOnlyList<PluginPort>? Ports { get; init; }

    /// <summary>Destinations that the container may connect to; nothing else is reachable from inside the enclave.</summary>
    [JsonPropertyName("outboundConnections")]
    [ListMapKeys("fqdn", "port")]
    [MaxLength(256)]
    public IReadOnlyList<OutboundConnection>? OutboundConnections { get; init; }

    /// <summary>Restart policy of this container; absent means the one of the NitroEnclaveDeployment.</summary>
    [JsonPropertyName("restartPolicy")]
    [AllowedValues(RestartPolicies.Always, RestartPolicies.OnFailure, RestartPolicies.Never)]
    public string? RestartPolicy { get; init; }
}

/// <summary>An environment variable.</summary>
public sealed record EnvVar
{
    /// <summary>Name of the variable.</summary>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Value of the variable, taken literally; absent means empty.</summary>
    [JsonPropertyName("value")]
    public string? Value { get; init; }
}

/// <summary>A TCP port that a container listens on.</summary>
public sealed record PluginPort
{
    /// <summary>Name of the Service's port; absent means port-N for hostPort N.</summary>
    [JsonPropertyName("name")]
    [StringLength(63, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Port that the container listens on inside the enclave, unique in the NitroEnclaveDeployment: the containers share one network.</summary>
    [JsonPropertyName("containerPort")]
    [Required]
    [Range(1, 65535)]
    public int ContainerPort { get; init; }

    /// <summary>Port of the Service that leads to the container, unique in the NitroEnclaveDeployment. Absent means that the port is not exposed.</summary>
    [JsonPropertyName("hostPort")]
    [Range(1, 65535)]
    public int? HostPort { get; init; }
}

/// <summary>A destination that a container may connect to.</summary>
public sealed record OutboundConnection
{
    /// <summary>Kind of connection. Absent means default: a plain relay, end to end as the container makes it.</summary>
    [JsonPropertyName("type")]
    [AllowedValues(OutboundTypes.Default)]
    public string? Type { get; init; }

    /// <summary>Host name of the destination without wildcard, or a literal IP address.</summary>
    [JsonPropertyName("fqdn")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Fqdn { get; init; }

    /// <summary>TCP port of the destination.</summary>
    [JsonPropertyName("port")]
    [Required]
    [Range(1, 65535)]
    public int Port { get; init; }
}

/// <summary>Values of <see cref="OutboundConnection.Type"/>.</summary>
public static class OutboundTypes
{
    /// <summary>A plain relay.</summary>
    public const string Default = "default";
}

/// <summary>Values of restartPolicy.</summary>
public static class RestartPolicies
{
    /// <summary>Restart whatever the exit code.</summary>
    public const string Always = "Always";

    /// <summary>Restart unless the exit code is 0.</summary>
    public const string OnFailure = "OnFailure";

    /// <summary>Do not restart.</summary>
    public const string Never = "Never";
}
