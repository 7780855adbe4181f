using System.Text;
using System.Text.Json;
using Enclaves.Channel.Session;

namespace Enclaves.EnclaveHost.Session;

/// <summary>
/// Registry credentials out of mounted Secrets of type kubernetes.io/dockerconfigjson: <c>FOLDER/SECRET/.dockerconfigjson</c>.
/// Values are never part of a message.
/// </summary>
internal static class RegistryCredentials
{
    private const string FileName = ".dockerconfigjson";

    // A Secret is at most 1 MiB in Kubernetes.
    private const long MaxFileBytes = 1024 * 1024;

    /// <summary>All credentials, in the order of the Secrets' names; a folder that is not there holds none.</summary>
    /// <exception cref="InvalidDataException">A file is not what it should be; names the file, not its content.</exception>
    public static IReadOnlyList<RegistryCredential> Read(string folder)
    {
        if (!Directory.Exists(folder))
            return [];
        return [.. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)
            .Select(secret => Path.Combine(secret, FileName)).Where(File.Exists).SelectMany(ReadFile)];
    }

    private static List<RegistryCredential> ReadFile(string path)
    {
        if (new FileInfo(path).Length > MaxFileBytes)
            throw new InvalidDataException($"{path}: larger than 1 MiB; a dockerconfigjson Secret is expected");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return [.. document.RootElement.GetProperty("auths").EnumerateObject().Select(entry => ReadEntry(entry.Name, entry.Value))];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // The exception's own text could quote a password.
            throw new InvalidDataException($"{path}: not a dockerconfigjson ({e.GetType().Name}); make the Secret with kubectl create secret docker-registry");
        }
    }

    private static RegistryCredential ReadEntry(string registry, JsonElement entry)
    {
        var (user, password) = (Text(entry, "username"), Text(entry, "password"));
        if (user is null && Text(entry, "auth") is { } both)
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(both));
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                throw new FormatException();
            (user, password) = (pair[..colon], pair[(colon + 1)..]);
        }

        return new RegistryCredential { Registry = HostOf(registry), Username = user ?? "", Password = password ?? "" };
    }

    // Old tools write https://host/v1/ where image references say host, and the Docker Hub goes by three names.
    private static string HostOf(string registry)
    {
        var scheme = registry.IndexOf("://", StringComparison.Ordinal);
        var host = (scheme < 0 ? registry : registry[(scheme + 3)..]).Split('/')[0].ToLowerInvariant();
        return host is "index.docker.io" or "registry-1.docker.io" ? "docker.io" : host;
    }

    private static string? Text(JsonElement entry, string name) => entry.TryGetProperty(name, out var value) ? value.GetString() : null;
}
