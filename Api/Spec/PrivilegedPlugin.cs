using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A container that does something for the others: authenticates traffic, ships logs, collects metrics.</summary>
public sealed record PrivilegedPlugin
{
    /// <summary>What it does. auth: inbound traffic passes through it. logging: it is given logs of other plugins. telemetry: it collects metrics.</summary>
    /// <remarks>Unique in the list.</remarks>
    [JsonPropertyName("kind")]
    [Required]
    [AllowedValues(PrivilegedKinds.Auth, PrivilegedKinds.Logging, PrivilegedKinds.Telemetry)]
    public string? Kind { get; init; }

    /// <summary>Name of the container; in logs, in the status and in the manifest it goes by it.</summary>
    /// <remarks>A DNS label: lower-case letters, digits and '-' between them, 63 characters. Unique over both lists of plugins, and not image-pull.</remarks>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Namespace that the plugin is meant for; another than the NitroEnclaveDeployment's gives a warning. Secrets and ConfigMaps are the NitroEnclaveDeployment's whatever it says.</summary>
    /// <remarks>A DNS label.</remarks>
    [JsonPropertyName("namespace")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    public string? Namespace { get; init; }

    /// <summary>Image of the container; pulled from inside the enclave. Give it with its digest: a tag pins nothing, and gives a warning.</summary>
    /// <remarks>An image reference: [REGISTRY[:PORT]/]REPOSITORY[:TAG][@sha256:DIGEST].</remarks>
    [JsonPropertyName("image")]
    [Required]
    [StringLength(1024, MinimumLength = 1)]
    public string? Image { get; init; }

    /// <summary>Secret with the credentials for the image's registry, of type kubernetes.io/dockerconfigjson.</summary>
    /// <remarks>A name that a Secret can have.</remarks>
    [JsonPropertyName("imagePullSecret")]
    [StringLength(253, MinimumLength = 1)]
    public string? ImagePullSecret { get; init; }

    /// <summary>Port of an auth plugin to which inbound traffic goes first; what the plugin lets pass it hands on to the other plugins over the enclave's loopback.</summary>
    /// <remarks>Required for kind auth, and for no other.</remarks>
    [JsonPropertyName("proxyPort")]
    [Range(1, 65535)]
    public int? ProxyPort { get; init; }

    /// <summary>How the container runs.</summary>
    /// <remarks>{} at least. kind auth may have everything but logsAccess; logging everything but ports and resources; telemetry nothing of env, resources, volumes and logsAccess.</remarks>
    [JsonPropertyName("spec")]
    [Required]
    public PrivilegedPluginSpec? Spec { get; init; }
}

/// <summary>How a privileged plugin's container runs.</summary>
public sealed record PrivilegedPluginSpec : PluginContainer
{
    /// <summary>Which of the NitroEnclaveDeployment's volumes the container sees, and where.</summary>
    /// <remarks>For the kinds auth and logging only.</remarks>
    [JsonPropertyName("volumes")]
    [ListMapKeys("mountPath")]
    [MaxLength(64)]
    public IReadOnlyList<PluginMount>? Volumes { get; init; }

    /// <summary>Names of the plugins whose logs it is given.</summary>
    /// <remarks>For kind logging only; each the name of a plugin of either list.</remarks>
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
