namespace Enclaves.Orchestrator.Secrets;

/// <summary>The values of Secrets that the host handed over, kept in memory only. Nothing in here has a text form that holds one.</summary>
internal sealed class SecretStore
{
    private volatile IReadOnlyDictionary<string, IReadOnlyDictionary<string, byte[]>> _secrets =
        new Dictionary<string, IReadOnlyDictionary<string, byte[]>>(StringComparer.Ordinal);

    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next <see cref="Replace"/>. Take it before looking at values.</summary>
    public Task Changed => _changed.Task;

    /// <summary>Takes a new set over, by the names of Secrets and keys.</summary>
    public void Replace(IReadOnlyDictionary<string, IReadOnlyDictionary<string, byte[]>> secrets)
    {
        _secrets = secrets;
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    /// <summary>The values of a Secret by key, null where there is none.</summary>
    public IReadOnlyDictionary<string, byte[]>? Find(string secret) => _secrets.GetValueOrDefault(secret);

    /// <summary>A value, null where there is none.</summary>
    public byte[]? Find(string secret, string key) => Find(secret)?.GetValueOrDefault(key);
}
