using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A container that runs inside the enclave.</summary>
public sealed record UserPlugin : PluginContainer
{
    /// <summary>Name of the container; in logs, in the status and in the manifest it goes by it.</summary>
    /// <remarks>A DNS label: lower-case letters, digits and '-' between them, 63 characters. Unique over both lists of plugins, and not image-pull.</remarks>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Name { get; init; }

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

    /// <summary>Which of the NitroEnclaveDeployment's volumes the container sees, and where.</summary>
    [JsonPropertyName("volumeMounts")]
    [ListMapKeys("mountPath")]
    [MaxLength(64)]
    public IReadOnlyList<PluginMount>? VolumeMounts { get; init; }

    /// <summary>Restart policy of this container; absent means the one of the NitroEnclaveDeployment.</summary>
    [JsonPropertyName("restartPolicy")]
    [AllowedValues(RestartPolicies.Always, RestartPolicies.OnFailure, RestartPolicies.Never)]
    public string? RestartPolicy { get; init; }

    /// <summary>Tells whether the container still works: it is restarted when this fails. As in a pod, but run inside the enclave.</summary>
    [JsonPropertyName("livenessProbe")]
    public PluginProbe? LivenessProbe { get; init; }

    /// <summary>Tells whether the container can take traffic: while this fails, none comes to the enclave. As in a pod, but run inside the enclave.</summary>
    [JsonPropertyName("readinessProbe")]
    public PluginProbe? ReadinessProbe { get; init; }

    /// <summary>Tells whether the container has started: the other probes wait until this has succeeded once. As in a pod, but run inside the enclave.</summary>
    [JsonPropertyName("startupProbe")]
    public PluginProbe? StartupProbe { get; init; }
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
