using System.Text;
using System.Text.Json.Serialization;

namespace Enclaves.Channel.Manifest;

/// <summary>A folder that containers mount. Exactly one of its sources is given.</summary>
public sealed record ManifestVolume
{
    /// <summary>DNS label, unique in the manifest.</summary>
    public required string Name { get; init; }

    /// <summary>Files out of a ConfigMap, whose content is measured; sorted by path.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ManifestFile>? Files { get; init; }

    /// <summary>Files out of a Secret, which come when the enclave runs and are not measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestSecretFiles? Secret { get; init; }

    /// <summary>A folder in the enclave's memory that is empty at first.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestEmptyDir? EmptyDir { get; init; }
}

/// <summary>A file with its content, as text or, where the ConfigMap has it as binaryData, in base64.</summary>
public sealed record ManifestFile
{
    /// <summary>Path in the volume: relative, without empty steps, . and ..</summary>
    public required string Path { get; init; }

    /// <summary>Permission bits, 0 to 511 (0777).</summary>
    public required int Mode { get; init; }

    /// <summary>SHA-384 of the content, hex.</summary>
    public required string Digest { get; init; }

    /// <summary>The content as UTF-8 text.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }

    /// <summary>The content in base64 (RFC 4648, section 4, with padding).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Base64 { get; init; }

    /// <summary>The content as bytes; null where there is none, or what should be base64 is not in its canonical form.</summary>
    public byte[]? Decode()
    {
        if (Text is not null)
            return Encoding.UTF8.GetBytes(Text);
        if (Base64 is null)
            return null;
        var bytes = new byte[(Base64.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(Base64, bytes, out var length) && Convert.ToBase64String(bytes, 0, length) == Base64 ? bytes[..length] : null;
    }
}

/// <summary>Which keys of a Secret become which files.</summary>
public sealed record ManifestSecretFiles
{
    /// <summary>Name of the Secret.</summary>
    public required string Name { get; init; }

    /// <summary>Permission bits of files that are not listed, 0 to 511 (0777).</summary>
    public required int Mode { get; init; }

    /// <summary>Keys and their files; null for all keys, each under its own name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ManifestKeyFile>? Items { get; init; }

    /// <summary>Whether containers run without what does not exist of it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Optional { get; init; }
}

/// <summary>A key and its file.</summary>
public sealed record ManifestKeyFile
{
    /// <summary>Key of the Secret.</summary>
    public required string Key { get; init; }

    /// <summary>Path in the volume: relative, without empty steps, . and ..</summary>
    public required string Path { get; init; }

    /// <summary>Permission bits, 0 to 511 (0777).</summary>
    public required int Mode { get; init; }
}

/// <summary>A folder in memory.</summary>
public sealed record ManifestEmptyDir
{
    /// <summary>Most bytes that it may hold; null for half of the enclave's memory.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? SizeBytes { get; init; }
}

/// <summary>Where a container sees a volume.</summary>
public sealed record ManifestMount
{
    /// <summary>Name of the volume.</summary>
    public required string Volume { get; init; }

    /// <summary>Absolute path in the container, unique there.</summary>
    public required string Path { get; init; }

    /// <summary>Path in the volume to mount instead of the whole: relative, without empty steps, . and ..</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SubPath { get; init; }

    /// <summary>Whether the container cannot write to it; always so for files out of a ConfigMap or Secret.</summary>
    public required bool ReadOnly { get; init; }
}
