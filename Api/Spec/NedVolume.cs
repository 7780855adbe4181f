using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A volume that plugins can mount.</summary>
/// <remarks>Exactly one of configMap, secret and emptyDir.</remarks>
public sealed record NedVolume
{
    /// <summary>Name to which volumeMounts refer.</summary>
    /// <remarks>A DNS label, unique in the list.</remarks>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Files from a ConfigMap. Their contents are part of the measured manifest.</summary>
    [JsonPropertyName("configMap")]
    public ConfigMapVolume? ConfigMap { get; init; }

    /// <summary>Files from a Secret. They are handed over when the enclave runs and are not part of the manifest.</summary>
    [JsonPropertyName("secret")]
    public SecretVolume? Secret { get; init; }

    /// <summary>An empty folder in the enclave's memory that lives as long as the enclave.</summary>
    [JsonPropertyName("emptyDir")]
    public EmptyDirVolume? EmptyDir { get; init; }
}

/// <summary>Files from a ConfigMap.</summary>
public sealed record ConfigMapVolume
{
    /// <summary>Name of the ConfigMap.</summary>
    /// <remarks>A name that a ConfigMap can have.</remarks>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Keys to show as files; absent means all of them, each under its own name.</summary>
    [JsonPropertyName("items")]
    [MaxLength(256)]
    public IReadOnlyList<KeyFile>? Items { get; init; }

    /// <summary>Mode of the files, as a decimal number; absent means 420 (0644).</summary>
    [JsonPropertyName("defaultMode")]
    [Range(0, 511)]
    public int? DefaultMode { get; init; }

    /// <summary>Whether the volume is empty where the ConfigMap does not exist.</summary>
    [JsonPropertyName("optional")]
    public bool? Optional { get; init; }
}

/// <summary>Files from a Secret.</summary>
public sealed record SecretVolume
{
    /// <summary>Name of the Secret.</summary>
    /// <remarks>A name that a Secret can have.</remarks>
    [JsonPropertyName("secretName")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? SecretName { get; init; }

    /// <summary>Keys to show as files; absent means all of them, each under its own name.</summary>
    [JsonPropertyName("items")]
    [MaxLength(256)]
    public IReadOnlyList<KeyFile>? Items { get; init; }

    /// <summary>Mode of the files, as a decimal number; absent means 420 (0644).</summary>
    [JsonPropertyName("defaultMode")]
    [Range(0, 511)]
    public int? DefaultMode { get; init; }

    /// <summary>Whether the volume is empty where the Secret does not exist.</summary>
    [JsonPropertyName("optional")]
    public bool? Optional { get; init; }
}

/// <summary>A key and the file it becomes.</summary>
public sealed record KeyFile
{
    /// <summary>Key of the ConfigMap or Secret.</summary>
    /// <remarks>Letters, digits, '-', '_' and '.'.</remarks>
    [JsonPropertyName("key")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Key { get; init; }

    /// <summary>Path of the file in the volume.</summary>
    /// <remarks>Relative, without '.', '..' and empty steps.</remarks>
    [JsonPropertyName("path")]
    [Required]
    [StringLength(1024, MinimumLength = 1)]
    public string? Path { get; init; }

    /// <summary>Mode of the file, as a decimal number; absent means the volume's defaultMode.</summary>
    [JsonPropertyName("mode")]
    [Range(0, 511)]
    public int? Mode { get; init; }
}

/// <summary>An empty folder.</summary>
public sealed record EmptyDirVolume
{
    /// <summary>Most that the folder may hold; absent means half of the enclave's memory.</summary>
    /// <remarks>An amount above 0, such as 64Mi.</remarks>
    [JsonPropertyName("sizeLimit")]
    [JsonConverter(typeof(QuantityTextConverter))]
    public string? SizeLimit { get; init; }

    /// <summary>What holds the files; an enclave has nothing but its memory, so absent means the same.</summary>
    [JsonPropertyName("medium")]
    [AllowedValues("", MemoryMedium)]
    public string? Medium { get; init; }

    /// <summary>The only medium there is.</summary>
    public const string MemoryMedium = "Memory";
}

/// <summary>Where a container sees a volume.</summary>
public sealed record PluginMount
{
    /// <summary>Name of the volume.</summary>
    /// <remarks>The name of one of spec.volumes.</remarks>
    [JsonPropertyName("name")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Path in the container.</summary>
    /// <remarks>Absolute, without '.', '..' and empty steps, unique in the container; and not /, /proc, /sys or /dev.</remarks>
    [JsonPropertyName("mountPath")]
    [Required]
    [StringLength(1024, MinimumLength = 1)]
    public string? MountPath { get; init; }

    /// <summary>Path in the volume to mount instead of the whole.</summary>
    /// <remarks>Relative, without '.', '..' and empty steps.</remarks>
    [JsonPropertyName("subPath")]
    [StringLength(1024, MinimumLength = 1)]
    public string? SubPath { get; init; }

    /// <summary>Whether the container cannot write to it. Volumes from ConfigMaps and Secrets are read-only in any case.</summary>
    [JsonPropertyName("readOnly")]
    public bool? ReadOnly { get; init; }
}
