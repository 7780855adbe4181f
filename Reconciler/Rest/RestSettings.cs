namespace Enclaves.Reconciler.Rest;

/// <summary>Where the REST API is served: options --rest:port and so on. Without --rest:certificate there is none.</summary>
internal sealed record RestSettings
{
    /// <summary>Port of the API, over TLS only: tokens come over it.</summary>
    public int Port { get; init; } = 8443;

    /// <summary>Folder with tls.crt and tls.key, as a mounted Secret has them; they are read again when they change.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>Checks what was given.</summary>
    /// <exception cref="InvalidOperationException">An option is missing, or has a value that is not allowed.</exception>
    public void Require()
    {
        if (Port is < 1 or > 65535)
            throw new InvalidOperationException($"--rest:port {Port}: allowed are 1 to 65535");
        if (Certificate.Length == 0)
            throw new InvalidOperationException("--rest:certificate: is missing; it is needed beside the other --rest options");
    }
}
