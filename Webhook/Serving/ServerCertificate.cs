using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Enclaves.Webhook.Serving;

/// <summary>
/// The certificate that is served, read from a mounted Secret and read again when its files change. Certificate and key are
/// compared by content: the kubelet swaps them by a symbolic link, which file events miss.
/// </summary>
internal sealed partial class ServerCertificate(string certificatePath, string keyPath, TimeProvider time, ILogger<ServerCertificate> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private volatile SslStreamCertificateContext? _current;
    private string _loaded = "";

    /// <summary>Where the certificate is read from.</summary>
    public string Path => certificatePath;

    /// <summary>What to serve; null until the first certificate is loaded.</summary>
    public SslStreamCertificateContext? Current => _current;

    /// <summary>Reads the files and takes them over when they changed and belong together; else what is served stays.</summary>
    public void Reload()
    {
        try
        {
            var certificates = File.ReadAllText(certificatePath);
            var key = File.ReadAllText(keyPath);
            if (certificates + key == _loaded)
                return;
            Load(certificates, key);
            _loaded = certificates + key;
            Loaded(certificatePath, _current!.TargetCertificate.Subject, _current.TargetCertificate.NotAfter);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            NotLoaded(e, certificatePath, keyPath, _current is null ? "none is served yet" : "the one before is still served");
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Reload();
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            Reload();
    }

    private void Load(string certificates, string key)
    {
        var leaf = X509Certificate2.CreateFromPem(certificates, key);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificates);
        // The old certificate is not disposed: handshakes that are under way use it.
        _current = SslStreamCertificateContext.Create(leaf, chain, offline: true);
    }

    [LoggerMessage(LogLevel.Information, "Serving the certificate of {Path}: {Subject}, valid until {NotAfter:u}")]
    private partial void Loaded(string path, string subject, DateTime notAfter);

    [LoggerMessage(LogLevel.Error, "Cannot take the certificate {CertificatePath} with the key {KeyPath}, {Consequence}; check the mounted Secret")]
    private partial void NotLoaded(Exception error, string certificatePath, string keyPath, string consequence);
}
