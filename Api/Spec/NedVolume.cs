using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A volume that plugins can mount: exactly one of configMap, secret and emptyDir.</summary>
public sealed record NedVolume
{
    /// <summary>Name, a DNS label, to which volumeMounts refer.</summary>
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
    [JsonPropertyName("key")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string? Key { get; init; }

    /// <summary>Path of the file in the volume, relative and without '..'.</summary>
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
    [JsonPropertyName("sizeLimit")]
    [JsonConverter(typeof(QuantityTextConverter))]
    public string? SizeLimit { get; init; }

    /// <summary>Memory, or absent: an enclave has no other medium.</summary>
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
    [JsonPropertyName("name")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    public string? Name { get; init; }

    /// <summary>Absolute path in the container, unique in it.</summary>
    [JsonPropertyName("mountPath")]
    [Required]
    [StringLength(1024, MinimumLength = 1)]
    public string? MountPath { get; init; }

    /// <summary>Path in the volume to mount instead of the whole, relative and without '..'.</summary>
    [JsonPropertyName("subPath")]
    [StringLength(1024, MinimumLength = 1)]
    public string? SubPath { get; init; }

    /// <summary>Whether the container cannot write to it. Volumes from ConfigMaps and Secrets are read-only in any case.</summary>
    [JsonPropertyName("readOnly")]
    public bool? ReadOnly { get; init; }
}
