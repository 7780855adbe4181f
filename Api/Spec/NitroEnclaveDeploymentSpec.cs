using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Enclaves.Api;

/// <summary>What is wanted: how many enclaves, how large, and what runs in them.</summary>
/// <remarks>Its manifest, which the enclave measures, has at most 1 MiB and 64 plugins; all lists of a spec together have at most 20000 items.</remarks>
public sealed record NitroEnclaveDeploymentSpec
{
    /// <summary>Number of enclaves, each in a pod of its own. kubectl scale and a HorizontalPodAutoscaler change it too; leave it out of Git where they do.</summary>
    [JsonPropertyName("replicas")]
    [Range(0, int.MaxValue)]
    [DefaultValue(NedDefaults.Replicas)]
    public int? Replicas { get; init; }

    /// <summary>Size and image of each enclave.</summary>
    [JsonPropertyName("enclave")]
    [EmptyObjectDefault]
    public EnclaveSpec? Enclave { get; init; }

    /// <summary>Containers that run inside each enclave, started in this order. They share its memory, its CPUs and one network.</summary>
    /// <remarks>At least one plugin is required over userPlugins and privilegedPlugins.</remarks>
    [JsonPropertyName("userPlugins")]
    [ListMapKeys("name")]
    [MaxLength(64)]
    public IReadOnlyList<UserPlugin>? UserPlugins { get; init; }

    /// <summary>Containers that serve the others: they start before the user plugins and stop after them.</summary>
    /// <remarks>At most one of each kind.</remarks>
    [JsonPropertyName("privilegedPlugins")]
    [ListMapKeys("name")]
    [MaxLength(3)]
    public IReadOnlyList<PrivilegedPlugin>? PrivilegedPlugins { get; init; }

    /// <summary>Volumes that plugins mount by name.</summary>
    [JsonPropertyName("volumes")]
    [ListMapKeys("name")]
    [MaxLength(64)]
    public IReadOnlyList<NedVolume>? Volumes { get; init; }

    /// <summary>Where the logs of the enclaves go; absent means the pods' logs.</summary>
    [JsonPropertyName("logging")]
    public LoggingSpec? Logging { get; init; }

    /// <summary>Restart policy of every plugin that has none: Always, OnFailure or Never, with the meaning they have in a pod.</summary>
    [JsonPropertyName("restartPolicy")]
    [AllowedValues(RestartPolicies.Always, RestartPolicies.OnFailure, RestartPolicies.Never)]
    [DefaultValue(RestartPolicies.Always)]
    public string? RestartPolicy { get; init; }

    /// <summary>The Service that leads to the plugins' ports. Made when any plugin has a hostPort; type None means no Service.</summary>
    [JsonPropertyName("service")]
    public ServiceSpec? Service { get; init; }

    /// <summary>Metadata and scheduling of the enclave pods. Our own labels and our own selection of nodes win over it.</summary>
    [JsonPropertyName("template")]
    public PodTemplate? Template { get; init; }

    /// <summary>How a change is rolled out, as in a Deployment; absent means RollingUpdate by 25%. Set rollingUpdate.maxSurge to 0 where the nodes with enclaves are full: a surge needs room for one more enclave.</summary>
    /// <remarks>type is RollingUpdate or Recreate; maxSurge and maxUnavailable are numbers or percentages, and not both 0.</remarks>
    [JsonPropertyName("strategy")]
    public V1DeploymentStrategy? Strategy { get; init; }

    /// <summary>Seconds that a new pod must be ready before it counts as available, as in a Deployment.</summary>
    [JsonPropertyName("minReadySeconds")]
    [Range(0, int.MaxValue)]
    [DefaultValue(NedDefaults.MinReadySeconds)]
    public int? MinReadySeconds { get; init; }

    /// <summary>Seconds without progress after which a rollout counts as stuck, as in a Deployment.</summary>
    /// <remarks>More than minReadySeconds.</remarks>
    [JsonPropertyName("progressDeadlineSeconds")]
    [Range(1, int.MaxValue)]
    [DefaultValue(NedDefaults.ProgressDeadlineSeconds)]
    public int? ProgressDeadlineSeconds { get; init; }

    /// <summary>Old ReplicaSets to keep for a rollback, as in a Deployment.</summary>
    [JsonPropertyName("revisionHistoryLimit")]
    [Range(0, int.MaxValue)]
    [DefaultValue(NedDefaults.RevisionHistoryLimit)]
    public int? RevisionHistoryLimit { get; init; }

    /// <summary>Whether changes of the spec wait instead of being rolled out, as in a Deployment. Enclaves that run go on running.</summary>
    [JsonPropertyName("paused")]
    [DefaultValue(false)]
    public bool? Paused { get; init; }
}
