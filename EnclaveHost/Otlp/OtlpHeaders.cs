using Enclaves.EnclaveHost.Session;
using Grpc.Core;

namespace Enclaves.EnclaveHost.Otlp;

/// <summary>The headers for the collector: a mounted Secret's keys and values, read anew for each request, so that a rotated one is taken.</summary>
/// <param name="folder">Where the Secret is mounted; empty for no headers.</param>
internal sealed class OtlpHeaders(string folder)
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Names in lower case, and values without the end of line that files often have.</summary>
    /// <exception cref="IOException">The folder or a file in it cannot be read, or a name is no header's; the message holds no value.</exception>
    public IReadOnlyList<(string Name, string Value)> Read()
    {
        if (folder.Length == 0)
            return [];
        var headers = new List<(string, string)>();
        var bytes = 0L;
        foreach (var key in MountedSecrets.KeysOf(folder))
        {
            var file = new FileInfo(Path.Combine(folder, key));
            bytes += MountedSecrets.SizeOf(file);
            if (bytes > MaxBytes)
                throw new IOException($"the headers in {folder} are larger than {MaxBytes} bytes");
            headers.Add(Header(key, File.ReadAllText(file.FullName).TrimEnd('\r', '\n')));
        }

        return headers;
    }

    private static (string Name, string Value) Header(string name, string value)
    {
        name = name.ToLowerInvariant();
        if (name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw new IOException($"the key {name} of the headers' Secret is no header's name; use letters, digits, -, _ and .");
        if (!value.All(c => c is >= ' ' and <= '~'))
            throw new IOException($"the value of {name} in the headers' Secret has characters that no header can have");
        return (name, value);
    }
}
