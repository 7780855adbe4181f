using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Enclaves.Webhook.Serving;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

public sealed class ServerCertificateTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("enclaves-webhook-");

    private string CertificatePath => Path.Combine(_folder.FullName, "tls.crt");

    private string KeyPath => Path.Combine(_folder.FullName, "tls.key");

    [Fact]
    public void A_changed_certificate_is_taken_over()
    {
        using var served = Served();
        served.Reload();
        served.Current.ShouldBeNull();
        var first = Write();
        served.Reload();
        served.Current!.TargetCertificate.Thumbprint.ShouldBe(first);
        var second = Write();
        served.Reload();
        served.Current!.TargetCertificate.Thumbprint.ShouldBe(second);
    }

    [Fact]
    public void A_certificate_without_its_key_leaves_the_one_before()
    {
        using var served = Served();
        var first = Write();
        served.Reload();
        var firstKey = File.ReadAllText(KeyPath);
        var second = Write();
        var secondKey = File.ReadAllText(KeyPath);
        File.WriteAllText(KeyPath, firstKey);
        served.Reload();
        served.Current!.TargetCertificate.Thumbprint.ShouldBe(first);
        File.WriteAllText(KeyPath, secondKey);
        served.Reload();
        served.Current!.TargetCertificate.Thumbprint.ShouldBe(second);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private ServerCertificate Served() => new(CertificatePath, KeyPath, TimeProvider.System, NullLogger<ServerCertificate>.Instance);

    private string Write()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=webhook", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddHours(1));
        File.WriteAllText(CertificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(KeyPath, key.ExportPkcs8PrivateKeyPem());
        return certificate.Thumbprint;
    }
}
