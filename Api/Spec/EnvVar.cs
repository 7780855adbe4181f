using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>An environment variable.</summary>
public sealed record EnvVar
{
    /// <summary>Name of the variable, unique in the container.</summary>
    /// <remarks>Letters, digits, '_', '-' and '.', no digit first.</remarks>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Value of the variable, taken literally; absent means empty.</summary>
    [JsonPropertyName("value")]
    public string? Value { get; init; }

    /// <summary>Where the value comes from.</summary>
    /// <remarks>Not together with value.</remarks>
    [JsonPropertyName("valueFrom")]
    public EnvVarSource? ValueFrom { get; init; }
}

/// <summary>Source of a variable's value.</summary>
/// <remarks>Exactly one of configMapKeyRef, secretKeyRef and fieldRef.</remarks>
public sealed record EnvVarSource
{
    /// <summary>A key of a ConfigMap in the NitroEnclaveDeployment's namespace; its value is part of the measured manifest.</summary>
    [JsonPropertyName("configMapKeyRef")]
    public KeyReference? ConfigMapKeyRef { get; init; }

    /// <summary>A key of a Secret in the NitroEnclaveDeployment's namespace; handed over when the enclave runs and never part of the manifest.</summary>
    [JsonPropertyName("secretKeyRef")]
    public KeyReference? SecretKeyRef { get; init; }

    /// <summary>A field of the NitroEnclaveDeployment itself.</summary>
    [JsonPropertyName("fieldRef")]
    public NedFieldReference? FieldRef { get; init; }
}

/// <summary>A key of a ConfigMap or Secret.</summary>
public sealed record KeyReference
{
    /// <summary>Name of the object.</summary>
    /// <remarks>A name that a ConfigMap or Secret can have.</remarks>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Key in it.</summary>
    /// <remarks>Letters, digits, '-', '_' and '.'.</remarks>
    [JsonPropertyName("key")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Key { get; init; }

    /// <summary>Whether the variable is left out where the object or key does not exist.</summary>
    [JsonPropertyName("optional")]
    public bool? Optional { get; init; }
}

/// <summary>A field of the NitroEnclaveDeployment. Since it is measured, only what stays the same.</summary>
public sealed record NedFieldReference
{
    /// <summary>Path of the field.</summary>
    [JsonPropertyName("fieldPath")]
    [Required]
    [AllowedValues(NedFieldPaths.Name, NedFieldPaths.Namespace)]
    public string? FieldPath { get; init; }
}

/// <summary>Values of <see cref="NedFieldReference.FieldPath"/>.</summary>
public static class NedFieldPaths
{
    /// <summary>The NitroEnclaveDeployment's name.</summary>
    public const string Name = "metadata.name";

    /// <summary>The NitroEnclaveDeployment's namespace.</summary>
    public const string Namespace = "metadata.namespace";
}
