using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A container that runs inside the enclave.</summary>
public sealed record UserPlugin : PluginContainer
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

    /// <summary>Where the container sees volumes of the NitroEnclaveDeployment.</summary>
    [JsonPropertyName("volumeMounts")]
    [ListMapKeys("mountPath")]
    [MaxLength(64)]
    public IReadOnlyList<PluginMount>? VolumeMounts { get; init; }

    /// <summary>Restart policy of this container; absent means the one of the NitroEnclaveDeployment.</summary>
    [JsonPropertyName("restartPolicy")]
    [AllowedValues(RestartPolicies.Always, RestartPolicies.OnFailure, RestartPolicies.Never)]
    public string? RestartPolicy { get; init; }

    /// <summary>Restarts the container when it fails, as in a pod; run inside the enclave.</summary>
    [JsonPropertyName("livenessProbe")]
    public PluginProbe? LivenessProbe { get; init; }

    /// <summary>Keeps traffic away from the enclave while it fails, as in a pod; run inside the enclave.</summary>
    [JsonPropertyName("readinessProbe")]
    public PluginProbe? ReadinessProbe { get; init; }

    /// <summary>Holds the other probes back until it has succeeded once, as in a pod; run inside the enclave.</summary>
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
