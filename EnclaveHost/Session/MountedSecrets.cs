using Enclaves.Channel.Manifest;
using Enclaves.Channel.Session;
using Google.Protobuf;

namespace Enclaves.EnclaveHost.Session;

/// <summary>
/// Values of mounted Secrets that the manifest refers to, and of no others: <c>FOLDER/SECRET/KEY</c>, as the pod webhook mounts them. Values
/// are never part of a message.
/// </summary>
internal static class MountedSecrets
{
    /// <summary>What is there of them now. What is not there is left out: the enclave says which container it keeps from starting.</summary>
    /// <exception cref="InvalidDataException">They are more than an enclave takes.</exception>
    public static IReadOnlyList<SecretValues> Read(string folder, EnclaveManifest manifest)
    {
        var secrets = new List<SecretValues>();
        long size = 0;
        foreach (var (name, keys) in SecretReferences.Of(manifest))
        {
            var secret = Path.Combine(folder, name);
            if (!Directory.Exists(secret))
                continue;
            var values = new SecretValues { Name = name };
            foreach (var key in keys ?? KeysOf(secret))
            {
                var file = new FileInfo(Path.Combine(secret, key));
                if (!file.Exists)
                    continue;
                size += name.Length + key.Length + SizeOf(file);
                if (size > ManifestLimits.MaxSecretBytes)
                    throw new InvalidDataException($"{file.FullName}: with it the Secrets exceed the {ManifestLimits.MaxSecretBytes} bytes that an enclave takes; refer to less, or make the values smaller");
                values.Data[key] = ByteString.CopyFrom(File.ReadAllBytes(file.FullName));
            }

            secrets.Add(values);
        }

        return secrets;
    }

    /// <summary>Bytes of a key's value: a kubelet mounts links to the version in force.</summary>
    public static long SizeOf(FileInfo file) =>
        Math.Max(0, new FileInfo(file.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file.FullName).Length);

    /// <summary>The keys of a mounted Secret, sorted. What a kubelet keeps for itself in there begins with two dots, which no key does.</summary>
    public static IEnumerable<string> KeysOf(string secret) =>
        Directory.EnumerateFiles(secret).Select(path => Path.GetFileName(path)).Where(ManifestCodec.IsSecretKey).Order(StringComparer.Ordinal);
}
