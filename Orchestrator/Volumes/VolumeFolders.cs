using System.Globalization;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers;
using Enclaves.Orchestrator.Init;
using Enclaves.Orchestrator.Secrets;

namespace Enclaves.Orchestrator.Volumes;

/// <summary>
/// The volumes of the enclave as folders: <c>ROOT/volumes/NAME</c>, files out of Secrets in <c>ROOT/volumes/NAME/VERSION</c>, one for each
/// set of values. What is out of a ConfigMap never changes; what uses a Secret is started again when its values change, and then mounts
/// the new version, so that no file changes under a container that reads it.
/// </summary>
/// <param name="root">Folder for all of it, in memory.</param>
/// <param name="mounts">Whether folders can be file systems of their own with a bound: where the enclave is a machine of its own.</param>
internal sealed class VolumeFolders(string root, bool mounts)
{
    private const string Volumes = "volumes";
    private const UnixFileMode FolderMode = (UnixFileMode)0b111_101_101;
    private const UnixFileMode OpenFolderMode = (UnixFileMode)0b111_111_111;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ManifestVolume> _volumes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SecretVersions> _versions = new(StringComparer.Ordinal);

    /// <summary>Takes the manifest's volumes over; nothing is made yet.</summary>
    public void Take(EnclaveManifest manifest)
    {
        foreach (var volume in manifest.Volumes ?? [])
            _volumes.Add(volume.Name, volume);
    }

    /// <summary>Makes the folders, and the files whose content is in the manifest.</summary>
    /// <exception cref="IOException">Names the folder or file that could not be made.</exception>
    public void Make()
    {
        // Of an enclave before, where this one is a process: a machine begins with an empty memory.
        if (!mounts && Directory.Exists(Path.Combine(root, Volumes)))
            Directory.Delete(Path.Combine(root, Volumes), recursive: true);
        foreach (var volume in _volumes.Values)
        {
            var folder = FolderOf(volume);
            MakeFolder(folder, FolderMode);
            if (volume.EmptyDir is { } empty)
                MakeEmpty(folder, empty);
            foreach (var file in volume.Files ?? [])
                Write(folder, file.Path, file.Mode, file.Decode()!);
        }
    }

    /// <summary>The Secrets that a container mounts.</summary>
    public IReadOnlyList<ManifestSecretFiles> SecretsOf(ManifestContainer container) =>
        [.. (container.Mounts ?? []).Select(mount => _volumes[mount.Volume].Secret).OfType<ManifestSecretFiles>()];

    /// <summary>What a container is to see of them now.</summary>
    /// <exception cref="ContainerRuntimeException">CreateContainerConfigError: a key, or what a subPath names, is not there.</exception>
    /// <exception cref="IOException">A folder or file could not be made.</exception>
    public IReadOnlyList<ContainerMount> MountsOf(ManifestContainer container, SecretStore secrets)
    {
        // Containers share volumes, and start beside each other.
        lock (_lock)
            return [.. (container.Mounts ?? []).Select((mount, i) => new ContainerMount(Source(container, mount, i, secrets), mount.Path, mount.ReadOnly))];
    }

    private string Source(ManifestContainer container, ManifestMount mount, int index, SecretStore secrets)
    {
        var volume = _volumes[mount.Volume];
        var folder = volume.Secret is { } secret ? VersionOf(volume, secret, secrets) : FolderOf(volume);
        if (mount.SubPath is not { } sub)
            return folder;
        if (volume.EmptyDir is not null && mounts)
            return FolderBeneath.Bind(folder, sub, Path.Combine(root, "subpaths", container.Name, index.ToString(CultureInfo.InvariantCulture)));
        var path = Path.Combine(folder, sub);
        if (volume.EmptyDir is not null)
            MakeFolder(path, OpenFolderMode);
        // Of these files nobody but this program writes any, so that there is no link in the way.
        return Path.Exists(path) ? path : throw new ContainerRuntimeException(
            "CreateContainerConfigError", $"mount {mount.Path}: volume {volume.Name} has no {sub}; what it has comes from the keys of its ConfigMap or Secret");
    }

    private string VersionOf(ManifestVolume volume, ManifestSecretFiles secret, SecretStore secrets)
    {
        var files = FilesOf(volume, secret, secrets);
        using var fingerprint = new SecretFingerprint();
        foreach (var (path, _, content) in files)
            fingerprint.Add(secret.Name, path, content);
        if (!_versions.TryGetValue(volume.Name, out var versions))
            _versions[volume.Name] = versions = new SecretVersions(FolderOf(volume));
        return versions.Folder(fingerprint.End(), folder =>
        {
            MakeFolder(folder, FolderMode);
            foreach (var (path, mode, content) in files)
                Write(folder, path, mode, content);
        });
    }

    private static List<(string Path, int Mode, byte[] Content)> FilesOf(ManifestVolume volume, ManifestSecretFiles secret, SecretStore secrets)
    {
        var values = secrets.Find(secret.Name);
        if (values is null && !secret.Optional)
            throw Missing($"volume {volume.Name}: there is no Secret {secret.Name}");
        if (secret.Items is not { } items)
            return [.. (values ?? new Dictionary<string, byte[]>()).Select(value => (value.Key, secret.Mode, value.Value))];
        var files = new List<(string, int, byte[])>();
        foreach (var item in items)
        {
            if (secrets.Find(secret.Name, item.Key) is { } value)
                files.Add((item.Path, item.Mode, value));
            else if (!secret.Optional)
                throw Missing($"volume {volume.Name}: there is no key {item.Key} in a Secret {secret.Name}");
        }

        return files;
    }

    private static ContainerRuntimeException Missing(string problem) => new("CreateContainerConfigError", $"{problem}; create it, which is noticed by itself");

    private string FolderOf(ManifestVolume volume) => Path.Combine(root, Volumes, volume.Name);

    private void MakeEmpty(string folder, ManifestEmptyDir empty)
    {
        if (mounts)
        {
            var size = empty.SizeBytes is { } bytes ? bytes.ToString(CultureInfo.InvariantCulture) : "50%";
            Libc.Check(Libc.Mount("tmpfs", folder, "tmpfs", Libc.MsNosuid | Libc.MsNodev, $"mode=777,size={size}"), $"mount {folder}");
        }
        else
        {
            File.SetUnixFileMode(folder, OpenFolderMode);
        }
    }

    private static void Write(string folder, string path, int mode, byte[] content)
    {
        var full = Path.Combine(folder, path);
        MakeFolder(Path.GetDirectoryName(full)!, FolderMode);
        using (var file = new FileStream(full, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            file.Write(content);
        // Whatever the umask is.
        File.SetUnixFileMode(full, (UnixFileMode)mode);
    }

    private static void MakeFolder(string path, UnixFileMode mode)
    {
        if (Directory.Exists(path))
            return;
        if (Path.GetDirectoryName(path) is { } parent && !Directory.Exists(parent))
            MakeFolder(parent, FolderMode);
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, mode);
    }
}
