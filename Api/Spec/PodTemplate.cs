using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Enclaves.Api;

/// <summary>Metadata and scheduling of the enclave pods.</summary>
public sealed record PodTemplate
{
    /// <summary>Labels and annotations of the pods.</summary>
    [JsonPropertyName("metadata")]
    public PodTemplateMetadata? Metadata { get; init; }

    /// <summary>Labels that a node must have, as in a pod.</summary>
    [JsonPropertyName("nodeSelector")]
    public IReadOnlyDictionary<string, string>? NodeSelector { get; init; }

    /// <summary>Taints that the pods tolerate, as in a pod.</summary>
    [JsonPropertyName("tolerations")]
    public IReadOnlyList<V1Toleration>? Tolerations { get; init; }

    /// <summary>Affinity to nodes and pods, as in a pod.</summary>
    [JsonPropertyName("affinity")]
    public V1Affinity? Affinity { get; init; }

    /// <summary>How the pods spread over the cluster, as in a pod.</summary>
    [JsonPropertyName("topologySpreadConstraints")]
    public IReadOnlyList<V1TopologySpreadConstraint>? TopologySpreadConstraints { get; init; }

    /// <summary>Priority class of the pods, as in a pod.</summary>
    [JsonPropertyName("priorityClassName")]
    [StringLength(253, MinimumLength = 1)]
    public string? PriorityClassName { get; init; }

    /// <summary>Service account of the pods. Its token is never mounted.</summary>
    [JsonPropertyName("serviceAccountName")]
    [StringLength(253, MinimumLength = 1)]
    public string? ServiceAccountName { get; init; }

    /// <summary>Secrets with which the node pulls the EnclaveHost image, as in a pod. The plugins' images have imagePullSecret.</summary>
    [JsonPropertyName("imagePullSecrets")]
    public IReadOnlyList<V1LocalObjectReference>? ImagePullSecrets { get; init; }

    /// <summary>Seconds that a pod has to stop, as in a pod.</summary>
    [JsonPropertyName("terminationGracePeriodSeconds")]
    [Range(0, int.MaxValue)]
    public long? TerminationGracePeriodSeconds { get; init; }
}

/// <summary>Labels and annotations of the pods.</summary>
public sealed record PodTemplateMetadata
{
    /// <summary>Labels; our own win.</summary>
    [JsonPropertyName("labels")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Annotations; our own win.</summary>
    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
