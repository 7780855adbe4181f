namespace Enclaves.Orchestrator.Containers;

/// <summary>The registry logins that the host handed over, kept in memory only.</summary>
internal sealed class Credentials
{
    // The registry of references that name none, as every container engine reads them.
    private const string DefaultRegistry = "docker.io";

    private volatile IReadOnlyDictionary<string, RegistryLogin> _logins = new Dictionary<string, RegistryLogin>(StringComparer.Ordinal);
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next <see cref="Replace"/>: a pull that waits may try again.</summary>
    public Task Changed => _changed.Task;

    /// <summary>Takes a new set over; one that says the same, as every new session brings it, changes nothing.</summary>
    public void Replace(IReadOnlyDictionary<string, RegistryLogin> logins)
    {
        var old = _logins;
        if (old.Count == logins.Count && logins.All(login => old.TryGetValue(login.Key, out var known) && known == login.Value))
            return;
        _logins = logins;
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    /// <summary>The login for an image's registry, null for none.</summary>
    public RegistryLogin? For(string image) => _logins.GetValueOrDefault(RegistryOf(image));

    /// <summary>The registry, host[:port], of an image reference: its first part when that has a dot or a colon or is localhost.</summary>
    public static string RegistryOf(string image)
    {
        var slash = image.IndexOf('/');
        if (slash <= 0)
            return DefaultRegistry;
        var first = image[..slash];
        return first == "localhost" || first.Contains('.') || first.Contains(':') ? first : DefaultRegistry;
    }
}
