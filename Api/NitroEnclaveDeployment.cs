using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Enclaves.Api;

/// <summary>Runs containers inside AWS Nitro Enclaves: one enclave a replica, each in a pod of its own.</summary>
[KubernetesEntity(Group = NedNames.Group, ApiVersion = NedNames.Version, Kind = NedNames.Kind, PluralName = NedNames.Plural)]
public sealed class NitroEnclaveDeployment : IKubernetesObject<V1ObjectMeta>, ISpec<NitroEnclaveDeploymentSpec>, IStatus<NitroEnclaveDeploymentStatus?>
{
    /// <inheritdoc />
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = NedNames.ApiVersion;

    /// <inheritdoc />
    [JsonPropertyName("kind")]
    public string Kind { get; set; } = NedNames.Kind;

    /// <inheritdoc />
    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What is wanted.</summary>
    [JsonPropertyName("spec")]
    [Required]
    public NitroEnclaveDeploymentSpec Spec { get; set; } = new();

    /// <summary>What is; written by the Reconciler only.</summary>
    [JsonPropertyName("status")]
    public NitroEnclaveDeploymentStatus? Status { get; set; }
}
