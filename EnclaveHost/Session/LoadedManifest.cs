using Enclaves.Channel.Manifest;

namespace Enclaves.EnclaveHost.Session;

/// <summary>The manifest of this pod, read once at start: it never changes under a running enclave.</summary>
internal sealed record LoadedManifest(EnclaveManifest Content, byte[] Canonical, byte[] Digest)
{
    /// <summary>The digest as people see it: hex, lower case.</summary>
    public string DigestText { get; } = Convert.ToHexStringLower(Digest);

    /// <summary>Reads and checks the file.</summary>
    /// <exception cref="ManifestException">The manifest is not one, or the file cannot be read.</exception>
    public static LoadedManifest Read(string path)
    {
        try
        {
            if (new FileInfo(path) is { Length: > ManifestLimits.MaxBytes } file)
                throw new ManifestException($"manifest: {path} has {file.Length} bytes, allowed are {ManifestLimits.MaxBytes}");
            var bytes = File.ReadAllBytes(path);
            return new LoadedManifest(ManifestCodec.Read(bytes), bytes, ManifestCodec.Digest(bytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ManifestException($"manifest: {path} cannot be read: {e.Message}; check the pod's ConfigMap volume", e);
        }
    }
}
