using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Enclaves.Tests.Vm;

/// <summary>
/// A registry as they are out there: Debian's docker-registry, which takes nobody without a token of another host and sends pulls of layers
/// to a third one. It serves what the development registry holds; its three names are known to a DNS server of its own.
/// </summary>
internal sealed class StrictRegistry : IAsyncDisposable
{
    public const string User = "puller";
    public const string Password = "its password";

    // This machine, as egress reaches it.
    private const string Address = "10.210.0.1";
    private const string Content = "/var/lib/enclaves-dev/registry";
    private static readonly FreePorts Ports = new(24200, 24399);

    private readonly TemporaryFolder _folder = new();
    private readonly List<IAsyncDisposable> _servers = [];
    private readonly StringBuilder _log = new();
    private X509Certificate2? _certificate;
    private Process? _registry;

    public string Host { get; } = $"registry.test:{Ports.Next()}";

    public string TokenHost { get; } = $"tokens.test:{Ports.Next()}";

    public string BlobHost { get; } = $"blobs.test:{Ports.Next()}";

    public string NameServer { get; private set; } = "";

    /// <summary>The Secret that images are pulled with.</summary>
    public string DockerConfig => JsonSerializer.Serialize(new Dictionary<string, object> { ["auths"] = new Dictionary<string, object> { [Host] = new { username = User, password = Password } } });

    public static async Task<StrictRegistry> StartAsync()
    {
        var registry = new StrictRegistry();
        try
        {
            await registry.Start();
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    public Task<string> Explain()
    {
        lock (_log)
            return Task.FromResult($"the registry and its servers:\n{_log}");
    }

    public async ValueTask DisposeAsync()
    {
        _servers.Reverse();
        foreach (var server in _servers)
            await server.DisposeAsync();
        if (_registry is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _certificate?.Dispose();
        _folder.Dispose();
    }

    private async Task Start()
    {
        var names = await Enclave.Harness.NameServer.StartAsync(60, $"{Address} registry.test\n{Address} tokens.test\n{Address} blobs.test\n");
        _servers.Add(names);
        NameServer = names.Address;
        var root = Environment.GetEnvironmentVariable("ENCLAVES_REPOSITORY")!;
        using (var made = Process.Start(Path.Combine(root, "certs", "dev-ca"), ["leaf", _folder.Path, "server", "registry.test", "tokens.test", "blobs.test"]))
            await made.WaitForExitAsync();
        _certificate = X509Certificate2.CreateFromPemFile(FileOf("server.crt"), FileOf("server.key"));
        await Serve(TokenHost, context => Token(context, _certificate));
        await Serve(BlobHost, Blob);
        await File.WriteAllTextAsync(FileOf("registry.yaml"), $$$"""
            version: 0.1
            log: {level: info, accesslog: {disabled: false} }
            storage:
              filesystem: {rootdirectory: {{{Content}}} }
              maintenance: {readonly: {enabled: true} }
            middleware:
              storage: [{name: redirect, options: {baseurl: "https://{{{BlobHost}}}/"} }]
            auth:
              token: {realm: "https://{{{TokenHost}}}/token", service: registry, issuer: tokens, rootcertbundle: {{{FileOf("server.crt")}}} }
            http:
              addr: {{{Address}}}:{{{Host.Split(':')[1]}}}
              tls: {certificate: {{{FileOf("server.crt")}}}, key: {{{FileOf("server.key")}}} }
            """);
        _registry = Process.Start(new ProcessStartInfo("docker-registry", ["serve", FileOf("registry.yaml")]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _registry.OutputDataReceived += (_, line) => Note(line.Data);
        _registry.ErrorDataReceived += (_, line) => Note(line.Data);
        _registry.BeginErrorReadLine();
        _registry.BeginOutputReadLine();
        await Eventually.Holds("the registry listens", TimeSpan.FromSeconds(30), async () =>
        {
            using var client = new System.Net.Sockets.TcpClient();
            try
            {
                await client.ConnectAsync(Address, int.Parse(Host.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture));
                return true;
            }
            catch (System.Net.Sockets.SocketException)
            {
                return false;
            }
        }, Explain);
    }

    private async Task Serve(string host, RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Parse(Address), int.Parse(host.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture), listen => listen.UseHttps(_certificate!)));
        var app = builder.Build();
        app.Run(async context =>
        {
            await answer(context);
            Note($"{host} {context.Request.Method} {context.Request.Path}: {context.Response.StatusCode}");
        });
        _servers.Add(app);
        await app.StartAsync();
    }

    // A token of the registry's own specification (distribution, "Token Authentication Implementation"), for who gives the right password.
    private static async Task Token(HttpContext context, X509Certificate2 certificate)
    {
        var expected = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));
        if (!HttpMethods.IsGet(context.Request.Method))
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        else if (context.Request.Headers.Authorization != expected)
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        else
            await context.Response.WriteAsync(JsonSerializer.Serialize(new Dictionary<string, object> { ["token"] = Jwt(context.Request.Query["scope"]!, certificate), ["expires_in"] = 300 }));
    }

    private static string Jwt(string scope, X509Certificate2 certificate)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var access = scope.Split(':') is [var type, var name, var actions]
            ? new object[] { new Dictionary<string, object> { ["type"] = type, ["name"] = name, ["actions"] = actions.Split(',') } } : [];
        var header = new Dictionary<string, object> { ["typ"] = "JWT", ["alg"] = "ES256", ["x5c"] = new[] { Convert.ToBase64String(certificate.RawData) } };
        var claims = new Dictionary<string, object>
        {
            ["iss"] = "tokens", ["sub"] = User, ["aud"] = "registry", ["exp"] = now + 300, ["nbf"] = now - 10, ["iat"] = now, ["jti"] = Guid.NewGuid().ToString(), ["access"] = access,
        };
        var signed = $"{Text(JsonSerializer.SerializeToUtf8Bytes(header))}.{Text(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        using var key = certificate.GetECDsaPrivateKey()!;
        return $"{signed}.{Text(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))}";
    }

    private static string Text(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static async Task Blob(HttpContext context)
    {
        var file = Path.GetFullPath(Content + context.Request.Path);
        if (!file.StartsWith(Content + "/", StringComparison.Ordinal) || !File.Exists(file))
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        else
            await context.Response.SendFileAsync(file);
    }

    private string FileOf(string name) => Path.Combine(_folder.Path, name);

    private void Note(string? line)
    {
        lock (_log)
            _log.AppendLine(line);
    }
}
