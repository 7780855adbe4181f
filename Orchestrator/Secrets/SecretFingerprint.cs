using System.Security.Cryptography;
using System.Text;

namespace Enclaves.Orchestrator.Secrets;

/// <summary>A hash over values of Secrets, to find out whether one has changed. Never shown: it could be guessed from.</summary>
internal sealed class SecretFingerprint : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Adds a value, or that there is none.</summary>
    public void Add(string secret, string key, byte[]? value)
    {
        AddPart(Encoding.UTF8.GetBytes(secret));
        AddPart(Encoding.UTF8.GetBytes(key));
        AddPart(value);
    }

    /// <summary>Adds every value of a Secret, or that there is none.</summary>
    public void AddAll(string secret, IReadOnlyDictionary<string, byte[]>? values)
    {
        AddPart(values is null ? null : [1]);
        foreach (var (key, value) in (values ?? new Dictionary<string, byte[]>()).OrderBy(entry => entry.Key, StringComparer.Ordinal))
            Add(secret, key, value);
    }

    /// <summary>The hash, in hex.</summary>
    public string End() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    // With its length before it, so that no two lists of parts look the same; -1 for what is not there.
    private void AddPart(byte[]? part)
    {
        _hash.AppendData(BitConverter.GetBytes(part?.Length ?? -1));
        _hash.AppendData(part ?? []);
    }
}
