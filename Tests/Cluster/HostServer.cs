using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Enclaves.Tests.Cluster;

/// <summary>An HTTPS server of a test's own where the cluster reaches this machine, with a certificate that it has signed itself.</summary>
internal sealed class HostServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HostServer(WebApplication app, int port, byte[] authority) => (_app, Port, Authority) = (app, port, authority);

    /// <summary>Where it listens, on <see cref="DevelopmentCluster.HostAddress"/>.</summary>
    public int Port { get; }

    /// <summary>What whoever calls it has to trust, as PEM.</summary>
    public byte[] Authority { get; }

    /// <summary>Starts it.</summary>
    /// <param name="answer">Answers each request.</param>
    /// <param name="names">Host names by which it is called, besides its address.</param>
    public static async Task<HostServer> Start(RequestDelegate answer, params string[] names)
    {
        var certificate = Certificate(names);
        var port = ChildProcess.Ports.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Any, port, listen => listen.UseHttps(certificate)));
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return new HostServer(app, port, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static X509Certificate2 Certificate(string[] hosts)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={DevelopmentCluster.HostAddress}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(DevelopmentCluster.HostAddress));
        foreach (var host in hosts)
            names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
