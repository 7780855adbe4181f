using System.Security.Cryptography;
using System.Text;

namespace Enclaves.Channel.Manifest;

/// <summary>What must hold for volumes, for mounts and for what refers to Secrets. Names become files in the enclave, so nothing may lead out of a folder.</summary>
internal static class VolumeCheck
{
    private const int MaxMounts = 64;
    private const int MaxPath = 1024;
    private const int MaxStep = 255;
    private const int MaxMode = 511;
    private const int MaxName = 253;

    // Where the kernel's own file systems are, and the whole.
    private static readonly string[] Reserved = ["/", "/proc", "/sys", "/dev"];

    /// <summary>The first problem of the manifest's volumes as <c>field: problem</c>, null when there is none.</summary>
    public static string? Of(EnclaveManifest manifest)
    {
        if (manifest.Volumes is not { } volumes)
            return null;
        if (volumes.Count is 0 or > ManifestLimits.MaxVolumes)
            return $"volumes: must have 1 to {ManifestLimits.MaxVolumes} items, or be absent";
        var names = new HashSet<string>(StringComparer.Ordinal);
        var files = 0;
        for (var i = 0; i < volumes.Count; i++)
        {
            if (volumes[i] is not { } volume || !ManifestCheck.IsDnsLabel(volume.Name) || !names.Add(volume.Name))
                return $"volumes[{i}].name: must be a DNS label that no other volume has";
            if (Source(volume) is { } problem)
                return $"volumes[{i}]{problem}";
            files += (volume.Files?.Count ?? 0) + (volume.Secret?.Items?.Count ?? 0);
        }

        return files > ManifestLimits.MaxFiles ? $"volumes: have {files} files, allowed are {ManifestLimits.MaxFiles}" : null;
    }

    /// <summary>The first problem of a container's mounts and variables, null when there is none.</summary>
    public static string? Of(ManifestContainer container, IReadOnlyList<ManifestVolume> volumes)
    {
        for (var i = 0; i < container.Env.Count; i++)
        {
            var variable = container.Env[i];
            if (variable.Value is null == variable.Secret is null)
                return $"env[{i}]: must have exactly one of value and secret";
            if (variable.Secret is { } secret && !(IsFileName(secret.Name) && IsFileName(secret.Key)))
                return $"env[{i}].secret: must have a name and a key of letters, digits, '-', '_' and '.'";
        }

        if (container.Mounts is not { } mounts)
            return null;
        if (mounts.Count is 0 or > MaxMounts)
            return $"mounts: must have 1 to {MaxMounts} items, or be absent";
        var paths = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < mounts.Count; i++)
        {
            if (mounts[i] is not { } mount || volumes.FirstOrDefault(volume => volume.Name == mount.Volume) is not { } volume)
                return $"mounts[{i}].volume: must be one of the manifest's volumes";
            if (!mount.Path.StartsWith('/') || Reserved.Contains(mount.Path) || !IsRelative(mount.Path[1..]) || !paths.Add(mount.Path))
                return $"mounts[{i}].path: must be absolute, without empty steps, '.' and '..', unique, and not one of {string.Join(", ", Reserved)}";
            if (mount.SubPath is { } sub && !IsRelative(sub))
                return $"mounts[{i}].subPath: must be relative, without empty steps, '.' and '..'";
            if (volume.EmptyDir is null && !mount.ReadOnly)
                return $"mounts[{i}].readOnly: must be true for files out of a ConfigMap or Secret";
        }

        return null;
    }

    private static string? Source(ManifestVolume volume)
    {
        if ((volume.Files is null ? 0 : 1) + (volume.Secret is null ? 0 : 1) + (volume.EmptyDir is null ? 0 : 1) != 1)
            return ": must have exactly one of files, secret and emptyDir";
        if (volume.EmptyDir is { SizeBytes: <= 0 })
            return ".emptyDir.sizeBytes: must be above 0";
        if (volume.Files is { } files)
            return Files(files);
        return volume.Secret is { } secret ? Secret(secret) : null;
    }

    private static string? Files(IReadOnlyList<ManifestFile> files)
    {
        for (var i = 0; i < files.Count; i++)
        {
            if (files[i] is not { Mode: >= 0 and <= MaxMode } file)
                return $".files[{i}].mode: must be 0 to {MaxMode}";
            if (file.Text is null == file.Base64 is null)
                return $".files[{i}]: must have exactly one of text and base64";
            if (file.Decode() is not { } content || file.Digest != Convert.ToHexStringLower(SHA384.HashData(content)))
                return $".files[{i}].digest: is not that of the content";
        }

        return Paths(files.Select(file => file.Path)) is { } problem ? $".files: {problem}" : null;
    }

    private static string? Secret(ManifestSecretFiles secret)
    {
        if (!IsFileName(secret.Name) || secret.Mode is < 0 or > MaxMode)
            return $".secret: must have the name of a Secret and a mode of 0 to {MaxMode}";
        if (secret.Items is not { } items)
            return null;
        if (items.Count == 0 || items.Any(item => item is not { Mode: >= 0 and <= MaxMode } || !IsFileName(item.Key)))
            return $".secret.items: must be absent, or have keys of letters, digits, '-', '_' and '.', and modes of 0 to {MaxMode}";
        return Paths(items.Select(item => item.Path)) is { } problem ? $".secret.items: {problem}" : null;
    }

    // A path is a file or a folder, never both; and the names that begin with .. are those of the folder's own machinery.
    private static string? Paths(IEnumerable<string> paths)
    {
        var files = new HashSet<string>(StringComparer.Ordinal);
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (path is null || !IsRelative(path) || path.StartsWith("..", StringComparison.Ordinal) || !files.Add(path))
                return "paths must be relative, without empty steps, '.' and '..', each once, and none may begin with '..'";
            for (var slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1))
                folders.Add(path[..slash]);
        }

        return folders.FirstOrDefault(files.Contains) is { } both ? $"'{both}' is a file and a folder" : null;
    }

    private static bool IsRelative(string path) =>
        path.Length is > 0 and <= MaxPath && !path.Contains('\0')
        && Array.TrueForAll(path.Split('/'), step => step is not ("" or "." or "..") && Encoding.UTF8.GetByteCount(step) <= MaxStep);

    /// <summary>Names of Secrets and of their keys, as Kubernetes has them: each is a file name too.</summary>
    public static bool IsFileName(string name) =>
        name is { Length: > 0 and <= MaxName } && !name.StartsWith("..", StringComparison.Ordinal) && name != "."
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
