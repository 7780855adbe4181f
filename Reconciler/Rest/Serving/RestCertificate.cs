using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Enclaves.Reconciler.Rest.Serving;

/// <summary>
/// The certificate of the REST API, out of a mounted Secret. It is looked at every ten seconds: the kubelet swaps files by a symbolic link, which
/// file events miss, and when the release is installed there is none for a while, since the leader of these very replicas makes it.
/// </summary>
internal sealed partial class RestCertificate(RestSettings settings, TimeProvider time, ILogger<RestCertificate> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstInterval = TimeSpan.FromSeconds(1);

    private volatile SslStreamCertificateContext? _current;
    private (string Certificates, string Key) _loaded = ("", "");
    private string? _told;

    /// <summary>What to serve; null until the first one is there.</summary>
    public SslStreamCertificateContext? Current => _current;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await ReloadAsync(stoppingToken);
            await Task.Delay(_current is null ? FirstInterval : Interval, time, stoppingToken);
        }
    }

    private async Task ReloadAsync(CancellationToken cancellation)
    {
        try
        {
            var certificates = await File.ReadAllTextAsync(Path.Combine(settings.Certificate, "tls.crt"), cancellation);
            var key = await File.ReadAllTextAsync(Path.Combine(settings.Certificate, "tls.key"), cancellation);
            if ((certificates, key) == _loaded)
                return;
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificates);
            // The one before is not disposed: handshakes that are under way use it.
            _current = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(certificates, key), chain, offline: true);
            (_loaded, _told) = ((certificates, key), null);
            LogLoaded(logger, settings.Certificate, _current.TargetCertificate.NotAfter);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            if (_told == wrong.Message)
                return;
            _told = wrong.Message;
            LogNotLoaded(logger, settings.Certificate, _current is null ? "the REST API is not reachable yet" : "the one before is still served", wrong.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The REST API serves the certificate in {Folder}, valid until {NotAfter:u}")]
    private static partial void LogLoaded(ILogger logger, string folder, DateTime notAfter);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The certificate in {Folder} cannot be taken, {Consequence}: {Reason}; it is tried again, check the mounted Secret")]
    private static partial void LogNotLoaded(ILogger logger, string folder, string consequence, string reason);
}
