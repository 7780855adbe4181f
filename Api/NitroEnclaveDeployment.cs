using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Enclaves.Api;

/// <summary>Runs containers inside AWS Nitro Enclaves: one enclave a replica, each in a pod of its own.</summary>
/// <remarks>metadata.name has at most 43 characters: lower-case letters, digits and '-', a letter first and no '-' last. A generateName has at most 38.</remarks>
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

    /// <summary>What is wanted: how many enclaves, how large, and what runs in them.</summary>
    [JsonPropertyName("spec")]
    [Required]
    public NitroEnclaveDeploymentSpec Spec { get; set; } = new();

    /// <summary>What is, as the Reconciler last saw it; nobody else writes it.</summary>
    [JsonPropertyName("status")]
    public NitroEnclaveDeploymentStatus? Status { get; set; }
}
