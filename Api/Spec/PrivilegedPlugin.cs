using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A container that does something for the others: authenticates traffic, ships logs, collects metrics.</summary>
public sealed record PrivilegedPlugin
{
    /// <summary>What it does: auth, logging or telemetry; at most one plugin of a kind.</summary>
    [JsonPropertyName("kind")]
    [Required]
    [AllowedValues(PrivilegedKinds.Auth, PrivilegedKinds.Logging, PrivilegedKinds.Telemetry)]
    public string? Kind { get; init; }

    /// <summary>Name of the container, a DNS label, unique in the NitroEnclaveDeployment.</summary>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Namespace that the plugin is meant for. Secrets and ConfigMaps are the NitroEnclaveDeployment's whatever it says.</summary>
    [JsonPropertyName("namespace")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    public string? Namespace { get; init; }

    /// <summary>Image of the container; pulled from inside the enclave. Give it with its digest: a tag pins nothing.</summary>
    [JsonPropertyName("image")]
    [Required]
    [StringLength(1024, MinimumLength = 1)]
    public string? Image { get; init; }

    /// <summary>Name of a Secret of type kubernetes.io/dockerconfigjson with the credentials for the image's registry.</summary>
    [JsonPropertyName("imagePullSecret")]
    [StringLength(253, MinimumLength = 1)]
    public string? ImagePullSecret { get; init; }

    /// <summary>Port of an auth plugin to which inbound traffic goes first; required for kind auth, and for no other.</summary>
    [JsonPropertyName("proxyPort")]
    [Range(1, 65535)]
    public int? ProxyPort { get; init; }

    /// <summary>How the container runs; which fields it may have depends on the kind.</summary>
    [JsonPropertyName("spec")]
    [Required]
    public PrivilegedPluginSpec? Spec { get; init; }
}

/// <summary>How a privileged plugin's container runs.</summary>
public sealed record PrivilegedPluginSpec : PluginContainer
{
    /// <summary>Where the container sees volumes of the NitroEnclaveDeployment; for the kinds auth and logging.</summary>
    [JsonPropertyName("volumes")]
    [ListMapKeys("mountPath")]
    [MaxLength(64)]
    public IReadOnlyList<PluginMount>? Volumes { get; init; }

    /// <summary>Names of the plugins whose logs it is given; for kind logging.</summary>
    [JsonPropertyName("logsAccess")]
    [ListSet]
    [MaxLength(64)]
    [ItemLength(1, 253)]
    public IReadOnlyList<string>? LogsAccess { get; init; }
}

/// <summary>Values of <see cref="PrivilegedPlugin.Kind"/>.</summary>
public static class PrivilegedKinds
{
    /// <summary>Inbound traffic passes through it.</summary>
    public const string Auth = "auth";

    /// <summary>Is given the logs of other plugins.</summary>
    public const string Logging = "logging";

    /// <summary>Collects metrics.</summary>
    public const string Telemetry = "telemetry";
}
