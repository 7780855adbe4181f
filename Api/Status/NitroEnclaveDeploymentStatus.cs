using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Enclaves.Api;

/// <summary>What is; written by the Reconciler only.</summary>
public sealed record NitroEnclaveDeploymentStatus
{
    /// <summary>SCHEDULED once the API server has accepted the Deployment of the current generation; ERROR when that failed, with the reason in the condition Scheduled.</summary>
    [JsonPropertyName("status")]
    [AllowedValues(NedStatusWords.Scheduled, NedStatusWords.Error)]
    public string? Status { get; init; }

    /// <summary>Ready and wanted enclaves, such as 1/2.</summary>
    [JsonPropertyName("ready")]
    public string? Ready { get; init; }

    /// <summary>Generation of the spec that this status is about.</summary>
    [JsonPropertyName("observedGeneration")]
    public long? ObservedGeneration { get; init; }

    /// <summary>Pods that exist.</summary>
    [JsonPropertyName("replicas")]
    public int? Replicas { get; init; }

    /// <summary>Pods of the current spec.</summary>
    [JsonPropertyName("updatedReplicas")]
    public int? UpdatedReplicas { get; init; }

    /// <summary>Pods whose enclave is ready.</summary>
    [JsonPropertyName("readyReplicas")]
    public int? ReadyReplicas { get; init; }

    /// <summary>Pods whose enclave has been ready for minReadySeconds.</summary>
    [JsonPropertyName("availableReplicas")]
    public int? AvailableReplicas { get; init; }

    /// <summary>Label selector of the pods, for the scale sub-resource.</summary>
    [JsonPropertyName("selector")]
    public string? Selector { get; init; }

    /// <summary>SHA-384 of the canonical manifest in hexadecimal; an enclave that runs it has measured exactly this.</summary>
    [JsonPropertyName("manifestDigest")]
    public string? ManifestDigest { get; init; }

    /// <summary>Measurements that a client should expect, by register such as PCR0, in hexadecimal; absent while they are not known.</summary>
    [JsonPropertyName("measurements")]
    public IReadOnlyDictionary<string, string>? Measurements { get; init; }

    /// <summary>Conditions Scheduled, EnclavesHealthy, Ready, Reconciling and Stalled.</summary>
    [JsonPropertyName("conditions")]
    [ListMapKeys("type")]
    public IReadOnlyList<V1Condition>? Conditions { get; init; }
}

/// <summary>Values of <see cref="NitroEnclaveDeploymentStatus.Status"/>.</summary>
public static class NedStatusWords
{
    /// <summary>The Deployment of the current generation is accepted.</summary>
    public const string Scheduled = "SCHEDULED";

    /// <summary>The Deployment could not be applied.</summary>
    public const string Error = "ERROR";
}

/// <summary>Types of the conditions.</summary>
public static class NedConditions
{
    /// <summary>The children of the current generation are accepted by the API server.</summary>
    public const string Scheduled = "Scheduled";

    /// <summary>No enclave reports itself unhealthy.</summary>
    public const string EnclavesHealthy = "EnclavesHealthy";

    /// <summary>All that is wanted is there and ready (kstatus).</summary>
    public const string Ready = "Ready";

    /// <summary>A change is on its way (kstatus).</summary>
    public const string Reconciling = "Reconciling";

    /// <summary>No progress without somebody's help (kstatus).</summary>
    public const string Stalled = "Stalled";
}
