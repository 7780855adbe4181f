using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Enclaves.Channel.Manifest;

/// <summary>A manifest that cannot be taken, with the path of what is wrong.</summary>
public sealed class ManifestException : Exception
{
    /// <summary>Creates the error with a message that names the path.</summary>
    public ManifestException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>Reads and writes manifests in their canonical form and computes their digest.</summary>
public static class ManifestCodec
{
    /// <summary>Bytes of a digest: SHA-384, as all Nitro measurements.</summary>
    public const int DigestBytes = SHA384.HashSizeInBytes;

    // A few containers; more of them make the buffer grow.
    private const int TypicalBytes = 2048;

    /// <summary>The canonical form (RFC 8785) of a manifest.</summary>
    /// <exception cref="ManifestException">The manifest is above <see cref="ManifestLimits.MaxBytes"/>.</exception>
    public static byte[] Write(EnclaveManifest manifest)
    {
        using var document = JsonSerializer.SerializeToDocument(manifest, ManifestJson.Default.EnclaveManifest);
        var buffer = new ArrayBufferWriter<byte>(TypicalBytes);
        CanonicalJson.Write(document.RootElement, buffer);
        if (buffer.WrittenCount > ManifestLimits.MaxBytes)
            throw new ManifestException($"manifest: {buffer.WrittenCount} bytes, allowed are {ManifestLimits.MaxBytes}; make the configuration smaller");
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>What a reader requires of a manifest besides its form.</summary>
    /// <exception cref="ManifestException">Says what is wrong and where.</exception>
    public static void Check(EnclaveManifest manifest) => ManifestCheck.Run(manifest);

    /// <summary>Whether a Secret can have such a key, which becomes the name of a file.</summary>
    public static bool IsSecretKey(string key) => VolumeCheck.IsFileName(key);

    /// <summary>SHA-384 of the canonical bytes.</summary>
    public static byte[] Digest(ReadOnlySpan<byte> canonical) => SHA384.HashData(canonical);

    /// <summary>Reads a manifest strictly: canonical bytes only, known fields only, within every limit.</summary>
    /// <exception cref="ManifestException">Says what is wrong and where.</exception>
    public static EnclaveManifest Read(ReadOnlyMemory<byte> utf8)
    {
        if (utf8.Length > ManifestLimits.MaxBytes)
            throw new ManifestException($"manifest: {utf8.Length} bytes, allowed are {ManifestLimits.MaxBytes}");
        EnclaveManifest manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(utf8.Span, ManifestJson.Default.EnclaveManifest)
                ?? throw new ManifestException("manifest: is null, an object is required");
        }
        catch (JsonException e)
        {
            throw new ManifestException($"manifest: {e.Path ?? "$"}: {e.Message}", e);
        }

        ManifestCheck.Run(manifest);
        if (!Write(manifest).AsSpan().SequenceEqual(utf8.Span))
            throw new ManifestException("manifest: is not in canonical form (RFC 8785)");
        return manifest;
    }
}

/// <summary>Source-generated metadata: the codec must work without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false,
    MaxDepth = 16)]
[JsonSerializable(typeof(EnclaveManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
